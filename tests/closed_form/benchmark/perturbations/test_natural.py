"""Shift, rotation and JPEG: closed forms, and that a sample does not see its batch."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import rotate
from torch import Tensor
from xaiboard.benchmark import XaiboardError, perturbations
from xaiboard.benchmark.perturbations.jpeg import jpeg
from xaiboard.benchmark.perturbations.rotation import rotation
from xaiboard.benchmark.perturbations.shift import shift
from xaiboard.benchmark.toolkit.rng import SampleRng


@pytest.fixture(params=[1, 3], ids=["grey", "rgb"])
def x(request: pytest.FixtureRequest) -> Tensor:
    shape = (12, request.param, 14, 11)
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def rng(samples: int = 12) -> SampleRng:
    return SampleRng(0, range(samples), "natural")


@pytest.mark.parametrize("pixels", [0, 1, 3, 11, 99])
def test_shift_moves_along_a_diagonal_and_leaves_zeros(x: Tensor, pixels: int) -> None:
    moved = shift(x, rng(), pixels=pixels)
    directions = set()
    for image, found in zip(x, moved, strict=True):
        expected = {}
        for down in (-1, 1):
            for right in (-1, 1):
                canvas = torch.zeros(image.shape[0], 14 + 2 * pixels, 11 + 2 * pixels).double()
                top, left = pixels * (1 + down), pixels * (1 + right)
                canvas[:, top : top + 14, left : left + 11] = image
                expected[down, right] = canvas[:, pixels : pixels + 14, pixels : pixels + 11]
        directions |= {key for key, value in expected.items() if torch.equal(value, found)}
        assert any(torch.equal(value, found) for value in expected.values())
    assert len(directions) == 4


@pytest.mark.parametrize("degrees", [0.0, 5.0, 37.0])
def test_rotation_agrees_with_scipy(x: Tensor, degrees: float) -> None:
    """Inside: at the edge scipy cuts where this one fades."""
    turned = rotation(x, rng(), degrees=degrees)
    signs = set()
    for image, found in zip(x.numpy(), turned.numpy(), strict=True):
        for sign in (-1, 1):
            expected = rotate(image, sign * degrees, axes=(1, 2), reshape=False, order=1)
            if np.allclose(found[:, 4:-4, 3:-3], expected[:, 4:-4, 3:-3]):
                signs.add(sign)
                break
        else:
            raise AssertionError("neither clockwise nor anticlockwise")
    assert signs == ({-1} if degrees == 0 else {-1, 1})


def test_rotation_by_quarter_turns_is_exact() -> None:
    x = torch.rand(8, 2, 9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for image, found in zip(x, rotation(x, rng(8), degrees=90.0), strict=True):
        turns = [torch.rot90(image, k, (1, 2)) for k in (1, 3)]
        assert any(torch.allclose(found, turn) for turn in turns)
    torch.testing.assert_close(rotation(x, rng(8), degrees=0.0), x)


@pytest.mark.parametrize("quality", [1, 10, 50, 95])
def test_jpeg_is_what_pillow_reads_back(x: Tensor, quality: int) -> None:
    found = jpeg(x, quality=quality)
    for image, compressed in zip(x, found, strict=True):
        pixels = (image * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        file = BytesIO()
        Image.fromarray(pixels.squeeze()).save(file, "JPEG", quality=quality)
        expected = np.asarray(Image.open(file)).reshape(pixels.shape) / 255
        np.testing.assert_allclose(compressed.permute(1, 2, 0).numpy(), expected)


def test_jpeg_loses_less_at_higher_quality(x: Tensor) -> None:
    smooth = torch.nn.functional.avg_pool2d(x, 3, 1, 1)
    errors = [(jpeg(smooth, quality=quality) - smooth).abs().mean() for quality in (5, 30, 95)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.05
    for value in (0.0, 1.0):
        assert torch.equal(jpeg(torch.full_like(x, value)), torch.full_like(x, value))


@pytest.mark.parametrize("name", ["shift", "rotation", "jpeg"])
def test_a_sample_does_not_see_its_batch(x: Tensor, name: str) -> None:
    def changed(rows: slice) -> Tensor:
        given = {"rng": SampleRng(0, range(12)[rows], name)} if perturbations[name].needs("rng") else {}
        return perturbations[name](x=x[rows].clone(), **given)

    whole = changed(slice(0, 12))
    assert whole.min() >= 0
    assert whole.max() <= 1
    assert torch.equal(torch.cat([changed(slice(i, i + 1)) for i in range(12)]), whole)


def test_refuses_what_makes_no_sense(x: Tensor) -> None:
    for name in ("shift", "rotation", "jpeg"):
        given = {"rng": rng()} if perturbations[name].needs("rng") else {}
        with pytest.raises(XaiboardError, match=rf"'{name}' needs images \(B, C, H, W\); got \(12, 5\)"):
            perturbations[name](x=torch.zeros(12, 5), **given)
    with pytest.raises(XaiboardError, match="'pixels' of 'shift' must be at least 0"):
        perturbations["shift"](x=x, rng=rng(), pixels=-1)
    for quality in (0, 96):
        with pytest.raises(XaiboardError, match="'quality' of 'jpeg' must be from 1 to 95"):
            perturbations["jpeg"](x=x, quality=quality)
    with pytest.raises(XaiboardError, match="'jpeg' needs grey or RGB images; got 2 channels"):
        jpeg(torch.zeros(1, 2, 8, 8))
