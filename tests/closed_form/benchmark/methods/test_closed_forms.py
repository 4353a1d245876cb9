"""A linear model's attributions are known: gradient w, everything else w times a displacement."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError


def test_saliency_is_the_weight(
    attribute: Callable[..., Tensor], linear: nn.Module, weight: Tensor, x: Tensor, target: Tensor
) -> None:
    torch.testing.assert_close(attribute("saliency", linear, x, target), weight[target])


@pytest.mark.parametrize("name", ["saliency", "input_x_gradient", "integrated_gradients", "smoothgrad"])
def test_abs_is_the_magnitude_of_the_signed_map(
    attribute: Callable[..., Tensor], linear: nn.Module, x: Tensor, target: Tensor, name: str
) -> None:
    signed = attribute(name, linear, x, target)
    assert (signed < 0).any()
    torch.testing.assert_close(attribute(name, linear, x, target, abs=True), signed.abs())


def test_input_x_gradient_is_weight_times_input(
    attribute: Callable[..., Tensor], linear: nn.Module, weight: Tensor, x: Tensor, target: Tensor
) -> None:
    torch.testing.assert_close(attribute("input_x_gradient", linear, x, target), weight[target] * x)


@pytest.mark.parametrize("steps", [1, 2, 32])
@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_integrated_gradients_is_weight_times_displacement(
    attribute: Callable[..., Tensor],
    linear: nn.Module,
    weight: Tensor,
    x: Tensor,
    target: Tensor,
    baseline: float,
    steps: int,
) -> None:
    expected = weight[target] * (x - baseline)
    torch.testing.assert_close(
        attribute("integrated_gradients", linear, x, target, baseline=baseline, steps=steps), expected
    )


def test_integrated_gradients_is_complete(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    smooth = nn.Sequential(*(nn.Softplus() if isinstance(layer, nn.ReLU) else layer for layer in cnn))
    total = attribute("integrated_gradients", smooth, images, target).flatten(1).sum(1)
    change = (smooth(images) - smooth(torch.full_like(images, 0.0))).gather(1, target[:, None])[:, 0]
    torch.testing.assert_close(total, change.detach(), rtol=1e-8, atol=1e-8)


def test_smoothgrad_of_a_linear_model_is_the_weight(
    attribute: Callable[..., Tensor], linear: nn.Module, weight: Tensor, x: Tensor, target: Tensor
) -> None:
    torch.testing.assert_close(attribute("smoothgrad", linear, x, target, draws=3), weight[target])


@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_occlusion_is_exact_when_windows_do_not_overlap(
    attribute: Callable[..., Tensor],
    linear: nn.Module,
    weight: Tensor,
    x: Tensor,
    target: Tensor,
    baseline: float,
) -> None:
    product = (weight[target] * (x - baseline)).sum(1)
    expected = torch.zeros_like(product)
    for i in range(12):
        for j in range(10):
            top, left = i // 2 * 2, j // 2 * 2
            expected[:, i, j] = product[:, top : top + 2, left : left + 2].sum((1, 2))
    found = attribute("occlusion", linear, x, target, window=2, stride=2, baseline=baseline)
    torch.testing.assert_close(found, expected[:, None].expand_as(x))


@pytest.mark.parametrize(("window", "stride"), [(4, 2), (5, 3), (3, 1), (100, 7)])
def test_occlusion_averages_over_the_windows_of_a_pixel(
    attribute: Callable[..., Tensor],
    linear: nn.Module,
    weight: Tensor,
    x: Tensor,
    target: Tensor,
    window: int,
    stride: int,
) -> None:
    """Against a loop over pixels; the last windows are cut at the edge and every pixel is covered."""
    product = (weight[target] * x).sum(1)
    height, width = product.shape[1:]
    tops = [t for t in range(0, height, stride) if t < max(height - window, 0) + stride]
    lefts = [t for t in range(0, width, stride) if t < max(width - window, 0) + stride]
    expected = torch.zeros_like(product)
    for i in range(height):
        for j in range(width):
            drops = [
                product[:, top : top + window, left : left + window].sum((1, 2))
                for top in tops
                for left in lefts
                if top <= i < top + window and left <= j < left + window
            ]
            expected[:, i, j] = torch.stack(drops).mean(0)
    found = attribute("occlusion", linear, x, target, window=window, stride=stride)
    torch.testing.assert_close(found, expected[:, None].expand_as(x))


def test_occlusion_of_a_vector_covers_runs_of_features(
    attribute: Callable[..., Tensor], target: Tensor
) -> None:
    x = torch.arange(20.0, dtype=torch.float64).view(5, 4)
    model = nn.Linear(4, 4, bias=False, dtype=torch.float64)
    drops = (model.weight[target] * x).detach()
    expected = torch.stack([drops[:, :2].sum(1)] * 2 + [drops[:, 2:].sum(1)] * 2, dim=1)
    torch.testing.assert_close(attribute("occlusion", model, x, target, window=2, stride=2), expected)


def test_a_window_that_changes_nothing_gets_exactly_zero(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    images[:, :, 4:, :] = 0
    found = attribute("occlusion", cnn.float(), images.float(), target, window=2, stride=2)
    assert (found[:, :, 4:] == 0).all()
    assert (found[:, :, :4] != 0).any()


def test_occlusion_refuses_gaps(
    attribute: Callable[..., Tensor], linear: nn.Module, x: Tensor, target: Tensor
) -> None:
    with pytest.raises(XaiboardError, match="'stride' of 'occlusion' must be at most window=2"):
        attribute("occlusion", linear, x, target, window=2, stride=3)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("integrated_gradients", {"steps": 0}),
        ("smoothgrad", {"draws": 0}),
        ("smoothgrad", {"sigma": -1.0}),
        ("occlusion", {"window": 0}),
        ("occlusion", {"stride": 0}),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    attribute: Callable[..., Tensor],
    linear: nn.Module,
    x: Tensor,
    target: Tensor,
    name: str,
    settings: dict[str, float],
) -> None:
    with pytest.raises(XaiboardError, match=f"setting '{next(iter(settings))}' of '{name}' must be at least"):
        attribute(name, linear, x, target, **settings)
