"""Segments that are removed as a whole: how right the maps of linear networks are, and superpixels."""

import sys

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from xaiboard.benchmark import XaiboardError, explain, methods
from xaiboard.benchmark.methods.shared.segments import superpixels
from xaiboard.benchmark.toolkit.rng import SampleRng

LEAST = {"lime": 0.998, "kernel_shap": 1 - 1e-9, "shapley_sampling": 1 - 1e-9}
"""Correlation with the Shapley values of a linear network. LIME's penalty shrinks the coefficients a little."""

NAMES = tuple(LEAST)


@pytest.fixture(scope="module")
def x() -> Tensor:
    """Three images of smooth noise, 42 x 42."""
    noise = torch.rand(3, 3, 42, 42, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return avg_pool2d(noise, 5, stride=1, padding=2)


@pytest.fixture(scope="module")
def linear(x: Tensor) -> nn.Sequential:
    layer = nn.Linear(x[0].numel(), 2, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(2, x[0].numel(), generator=torch.Generator().manual_seed(1)))
    return nn.Sequential(nn.Flatten(), layer).eval()


def shapley_values(linear: nn.Sequential, x: Tensor, target: Tensor) -> Tensor:
    """Of single pixels, ``(B, H, W)``; those of a segment are the sum."""
    return (next(linear.parameters()).detach()[target].view_as(x) * x).sum(1)


def correlations(found: Tensor, exact: Tensor, numbers: Tensor) -> Tensor:
    """Correlation over the segments of each image."""
    segments = torch.eye(int(numbers.max()) + 1, dtype=found.dtype)[numbers].flatten(1, 2)
    sums = [(maps.flatten(1)[:, None] @ segments)[:, 0] for maps in (found, exact)]
    return torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(*sums, strict=True)])


@pytest.mark.parametrize("patch", [6, 3])
@pytest.mark.parametrize("name", NAMES)
def test_the_usual_draws_suffice_for_the_shapley_values_of_a_linear_network(
    name: str, patch: int, x: Tensor, linear: nn.Sequential
) -> None:
    """Of 49 segments, as at every size by default, and of 196, which take more draws."""
    target = torch.tensor([0, 1, 0])
    found = methods[name](model=linear, x=x, target=target, **({"patch": patch} if patch != 6 else {}))
    rows, columns = torch.arange(42)[:, None] // patch, torch.arange(42) // patch
    numbers = (rows * (42 // patch) + columns).expand(3, -1, -1)
    assert (correlations(found.sum(1), shapley_values(linear, x, target), numbers) > LEAST[name]).all()


@pytest.mark.parametrize("name", NAMES)
def test_superpixels_are_those_of_each_image(name: str, x: Tensor, linear: nn.Sequential) -> None:
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    target = torch.tensor([0, 1, 0])
    numbers = torch.stack([superpixels(image, 6) for image in x.split(1)])
    assert all(20 < len(each.unique()) == each.max() + 1 < 80 for each in numbers)
    given = {"model": linear, "segments": "slic"}
    found = methods[name](x=x, target=target, rng=SampleRng(0, range(3), ""), **given)
    inside = [found[image].sum(0)[numbers[image] == 0] for image in range(3)]
    assert all(torch.equal(each, each[:1].expand_as(each)) for each in inside)
    assert (correlations(found.sum(1), shapley_values(linear, x, target), numbers) > LEAST[name]).all()
    alone = methods[name](x=x[2:], target=target[2:], rng=SampleRng(0, [2], ""), **given)
    torch.testing.assert_close(found[2:], alone)


def test_superpixels_that_cannot_be_had(
    linear: nn.Sequential, x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, target = x.flatten(1), torch.tensor([0, 1, 0])
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    with pytest.raises(XaiboardError, match=r"segments=slic needs images .*; use segments=grid"):
        explain(linear[1], "lime", vectors, target, segments="slic")
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(
        XaiboardError, match=r"needs the library scikit-image, .*pip install 'xaiboard\[slic\]'"
    ):
        explain(linear, "lime", x, target, segments="slic")
    assert explain(linear, "lime", x, target, draws=2).isfinite().all()
