"""Grad-CAM by hand, and where it does not apply."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, methods
from xaiboard.benchmark.methods.gradcam import gradcam


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
    applies = methods["gradcam"].applies
    assert applies is not None
    assert applies(linear) == "the model has no convolution"
    assert applies(nn.Sequential(nn.Conv2d(1, 1, 1))) is None
    with pytest.raises(XaiboardError, match="'gradcam' does not apply: the model has no convolution"):
        attribute("gradcam", linear, x, target)
