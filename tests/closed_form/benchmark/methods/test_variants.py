"""Methods made from another one: they change exactly what that one gives, and apply where it does."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import xaiboard.benchmark as xb
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, methods
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.components.decorators import make_method
from xaiboard.benchmark.toolkit.data import Reference


def test_absolute_is_the_magnitude_of_what_the_other_method_gives_with_its_own_random_numbers(
    cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    signed = xb.explain(cnn, "smoothgrad", images, target, seed=3)
    assert (signed < 0).any()
    assert torch.equal(xb.explain(cnn, "absolute[of=smoothgrad]", images, target, seed=3), signed.abs())


def test_blurred_is_the_blurred_copy_of_what_the_other_method_gives(
    cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    expected = methods["blurred"](attribution=xb.explain(cnn, "smoothgrad", images, target), sigma=1.5)
    found = xb.explain(cnn, "blurred[of=smoothgrad,sigma=1.5]", images, target)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_a_variant_of_a_variant(cnn: nn.Sequential, images: Tensor, target: Tensor) -> None:
    magnitude = xb.explain(cnn, "saliency", images, target).abs()
    expected = methods["blurred"](attribution=magnitude)
    torch.testing.assert_close(xb.explain(cnn, "blurred[of=absolute]", images, target), expected)


def test_a_variant_applies_where_its_base_does(
    weight: Tensor, linear: nn.Module, cnn: nn.Sequential, reason_against: Callable[..., str]
) -> None:
    shape = weight.shape[1:]
    assert reason_against("blurred", linear, shape, of="gradcam") == "the model has no convolution"
    assert reason_against("blurred", linear, shape, of="lrp_epsilon") == ""
    assert "LRP has no rule" in reason_against("blurred", nn.Sequential(nn.GELU()), of="lrp_epsilon")
    assert reason_against("blurred", cnn, (3, 12, 10), of="gradcam") == ""
    assert reason_against("blurred", linear, shape) == ""


def test_a_variant_asks_for_what_its_base_asks_for(
    linear: nn.Module, x: Tensor, target: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offset(x: Tensor, reference: Reference) -> Tensor:
        return x - reference.mean

    monkeypatch.setitem(methods._entries, "offset", make_method(offset))  # pyright: ignore[reportAttributeAccessIssue]
    choice = choose(methods["absolute"], {"of": "offset"})
    assert choice.needs("reference")
    assert not choose(methods["absolute"]).needs("reference")
    reference = Reference(x.mean(0), x)
    found = xb.explain(linear, "absolute[of=offset]", x, target, reference=reference)
    torch.testing.assert_close(found, (x - x.mean(0)).abs())


def test_a_new_version_of_the_base_is_another_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    before = choose(methods["blurred"]).identity
    newer = replace(methods["saliency"], version=methods["saliency"].version + 1)
    monkeypatch.setitem(methods._entries, "saliency", newer)  # pyright: ignore[reportAttributeAccessIssue]
    assert choose(methods["blurred"]).identity != before


def test_an_unknown_base_is_the_user_s_mistake(linear: nn.Module, x: Tensor, target: Tensor) -> None:
    with pytest.raises(XaiboardError, match="no method named 'salency'; did you mean 'saliency'"):
        xb.explain(linear, "blurred[of=salency]", x, target)


def test_a_variant_must_have_a_setting_that_names_its_base() -> None:
    def doubled(attribution: Tensor) -> Tensor:
        return 2 * attribution

    with pytest.raises(XaiboardError, match="'doubled' asks for 'attribution', so it needs a setting"):
        make_method(doubled)


def test_blur_of_one_pixel_is_the_gaussian() -> None:
    """Far from the border: the value at distance (i, j) is the product of two normalised Gaussians."""
    spike = torch.zeros(1, 1, 31, 41, dtype=torch.float64)
    spike[0, 0, 15, 20] = 1
    found = methods["blurred"](attribution=spike, sigma=1.5)[0, 0]
    weights = np.exp(-0.5 * (np.arange(-20, 21) / 1.5) ** 2)
    expected = np.outer(weights[5:36] / weights.sum(), weights / weights.sum())
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=1e-9, atol=1e-12)


def test_blur_is_that_of_scipy_divided_by_the_weights_inside() -> None:
    values = torch.randn(2, 3, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64).numpy()
    expected = values
    for axis in (2, 3):
        expected = gaussian_filter1d(expected, 2.0, axis, mode="constant", truncate=20)
        expected = expected / gaussian_filter1d(np.ones_like(values), 2.0, axis, mode="constant", truncate=20)
    found = methods["blurred"](attribution=torch.from_numpy(values), sigma=2.0)
    torch.testing.assert_close(found, torch.from_numpy(expected))


def test_blur_leaves_a_constant_map_alone() -> None:
    flat = torch.full((1, 2, 5, 8), 0.7, dtype=torch.float64)
    torch.testing.assert_close(methods["blurred"](attribution=flat), flat)


@pytest.mark.parametrize(
    ("attribution", "sigma", "message"),
    [
        (torch.zeros(2, 9), 1.0, r"'blurred' needs images \(B, C, H, W\), got \(2, 9\)"),
        (torch.zeros(2, 1, 4, 4), 0.0, "'sigma' of 'blurred' must be positive; got '0'"),
    ],
)
def test_blur_refuses(attribution: Tensor, sigma: float, message: str) -> None:
    with pytest.raises(XaiboardError, match=message):
        methods["blurred"](attribution=attribution, sigma=sigma)
