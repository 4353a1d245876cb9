"""Class activation maps by hand, and where they do not apply."""

from collections.abc import Callable
from typing import cast

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.methods.gradcam import gradcam
from xaiboard.benchmark.methods.gradcam_plus_plus import gradcam_plus_plus
from xaiboard.benchmark.methods.layercam import layercam


class Pooled(nn.Module):
    """A 1x1 convolution, averaged over the image and mixed: Grad-CAM by hand."""

    def __init__(self, mix: Tensor) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 2, 1, bias=False, dtype=torch.float64)
        self.mix = mix

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x).mean((2, 3)) @ self.mix.T


def test_gradcam_by_hand() -> None:
    """Feature k is ``c_k x``, its mean gradient ``m_k / HW``: the map is the positive part of ``x m.c / HW``."""
    mix = torch.tensor([[1.0, 2.0], [-1.0, -3.0]], dtype=torch.float64)
    model = Pooled(mix)
    with torch.no_grad():
        model.convolution.weight.copy_(torch.tensor([[1.0], [-0.25]])[:, :, None, None])
    x = torch.rand(2, 1, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    found = gradcam(model, x, torch.tensor([0, 1]))
    factor = torch.tensor([1 - 0.5, -1 + 0.75], dtype=torch.float64)[:, None, None, None] / 20
    torch.testing.assert_close(found, (factor * x).relu())


def test_gradcam_plus_plus_by_hand() -> None:
    """Feature k is ``c_k x``, its gradient ``g = m_k / HW`` everywhere, its weight ``HW g / (2 + S g)`` for g > 0."""
    mix = torch.tensor([[1.0, 2.0], [-1.0, 3.0]], dtype=torch.float64)
    model = Pooled(mix)
    c = torch.tensor([1.0, 0.25], dtype=torch.float64)
    with torch.no_grad():
        model.convolution.weight.copy_(c.view(2, 1, 1, 1))
    x = torch.rand(2, 1, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = gradcam_plus_plus(model, x, torch.tensor([0, 1]))
    for row in range(2):
        expected = torch.zeros(4, 5, dtype=torch.float64)
        for k in range(2):
            g = mix[row, k] / 20
            if g > 0:
                expected += 20 * g / (2 + (c[k] * x[row]).sum() * g) * c[k] * x[row, 0]
        torch.testing.assert_close(found[row, 0], expected)


def test_gradcam_plus_plus_is_the_paper_s_formula_behind_a_relu(target: Tensor) -> None:
    """Equation 19 written out, ``g^2 / (2 g^2 + sum_ab A_ab g^3)``, on maps that are never negative."""
    features, body = positive_features()
    x = torch.rand(5, 3, 8, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    maps = features(x).detach().requires_grad_()
    g = torch.autograd.grad(body(maps).gather(1, target[:, None]).sum(), maps)[0]
    alpha = g**2 / (2 * g**2 + maps.sum((2, 3), keepdim=True) * g**3)
    weights = torch.where(g > 0, alpha * g, 0.0).sum((2, 3), keepdim=True)
    expected = (weights * maps).sum(1, keepdim=True).relu().detach()
    found = gradcam_plus_plus(nn.Sequential(features, body), x, target)
    torch.testing.assert_close(found.sum(1, keepdim=True), expected)


def test_layercam_is_the_same_before_and_behind_the_relu(target: Tensor) -> None:
    """A closed unit has neither gradient nor output, so the paper's maps behind the ReLU give the same map."""
    features, body = positive_features()
    with torch.no_grad():
        nn.init.constant_(cast(Tensor, features.bias), -1.5)
    x = torch.rand(5, 3, 8, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    maps = features(x).relu().detach().requires_grad_()
    assert 0.1 < (maps > 0).double().mean() < 0.9
    g = torch.autograd.grad(body(maps).gather(1, target[:, None]).sum(), maps)[0]
    expected = (g.relu() * maps).sum(1, keepdim=True).relu().detach()
    assert (expected > 0).any()
    found = layercam(nn.Sequential(features, nn.ReLU(inplace=True), body), x, target)
    torch.testing.assert_close(found.sum(1, keepdim=True), expected)


def positive_features() -> tuple[nn.Conv2d, nn.Sequential]:
    """A convolution of positive weights, and what follows it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        features = nn.Conv2d(3, 4, 1).double()
        body = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 4)).double()
    with torch.no_grad():
        features.weight.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(1))
        nn.init.constant_(cast(Tensor, features.bias), 0)
    return features, body


def test_guided_gradcam_is_the_product_of_the_two(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    guided, cam = (attribute(name, cnn, images, target) for name in ("guided_backprop", "gradcam"))
    found = attribute("guided_gradcam", cnn, images, target)
    torch.testing.assert_close(found, guided * cam.sum(1, keepdim=True))
    assert (found < 0).any()
    assert (found > 0).any()


@pytest.mark.parametrize("name", ["gradcam", "gradcam_plus_plus", "layercam", "guided_gradcam"])
def test_maps_need_a_convolution(
    name: str, weight: Tensor, linear: nn.Module, cnn: nn.Sequential, reason_against: Callable[..., str]
) -> None:
    assert reason_against(name, linear, weight.shape[1:]) == "the model has no convolution"
    assert reason_against(name, cnn, (3, 12, 10)) == ""


def test_guided_gradcam_needs_a_relu(reason_against: Callable[..., str]) -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Tanh(), nn.Flatten())
    assert "no nn.ReLU" in reason_against("guided_gradcam", model)


def test_gradcam_shares_the_map_equally_among_channels(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    found = attribute("gradcam", cnn, images, target)
    assert (found >= 0).all()
    assert (found > 0).any()
    torch.testing.assert_close(found[:, :1].expand_as(found), found)


def test_gradcam_without_convolution_does_not_apply(
    attribute: Callable[..., Tensor], linear: nn.Module, x: Tensor, target: Tensor
) -> None:
    with pytest.raises(XaiboardError, match="the model has no convolution"):
        attribute("gradcam", linear, x, target)
    with pytest.raises(XaiboardError, match="'gradcam' does not apply: the model has no convolution"):
        xb.explain(linear, "gradcam", x, target)
