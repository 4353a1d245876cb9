"""Entropy, effective complexity and JPEG size: closed forms, and the file that a map becomes."""

from io import BytesIO
from math import log

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from xaiboard.benchmark import XaiboardError, metrics
from xaiboard.metrics.effective_complexity import effective_complexity
from xaiboard.metrics.entropy import entropy
from xaiboard.metrics.jpeg_size import jpeg_size


def doubles(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# entropy


def test_entropy_of_maps_on_equal_pixels() -> None:
    """``log`` of their number: one, half of them, all; an all-zero map counts as constant."""
    a = torch.zeros(5, 1, 5, 4, dtype=torch.float64)
    a[0, 0, 2, 3] = -7
    a[1, 0, :, :2] = 1e-40
    a[2] = -3
    a[4, 0, :, :2], a[4, 0, :, 2:] = 1, -1
    expected = doubles(0, log(10), log(20), log(20), log(20))
    found = entropy(a)
    torch.testing.assert_close(found[""], expected)
    torch.testing.assert_close(found["normalised"], expected / log(20))


@pytest.mark.parametrize("share", [0.5, 0.1, 1e-9])
def test_entropy_of_two_pixels(share: float) -> None:
    nats = -share * log(share) - (1 - share) * log(1 - share)
    found = entropy(doubles(share, share - 1)[None])
    torch.testing.assert_close(found[""], doubles(nats))
    torch.testing.assert_close(found["normalised"], doubles(nats / log(2)))


def test_entropy_is_that_of_the_channel_sum(x: Tensor) -> None:
    a, expected = x - 0.5, []
    for image in a.sum(1).flatten(1).abs().tolist():
        expected.append(-sum(v / sum(image) * log(v / sum(image)) for v in image))
    torch.testing.assert_close(entropy(a)[""], doubles(*expected))
    for same in (-a * 1e-30, a.flip(2).mT):
        torch.testing.assert_close(entropy(same), entropy(a))
    cancelled = torch.cat([a[:, :1], -a[:, :1]], 1)
    torch.testing.assert_close(entropy(cancelled)["normalised"], torch.ones(6).double())


def test_entropy_of_one_pixel_is_nothing() -> None:
    for value in (0.0, 3.0):
        assert entropy(doubles(value)[None]) == {"": doubles(0), "normalised": doubles(0)}


# effective complexity


@pytest.mark.parametrize(
    ("threshold", "count"), [(1.0, 1), (0.5, 2), (0.26, 2), (0.25, 3), (0.01, 7), (1e-9, 10)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_counts_the_halvings_above_the_threshold(threshold: float, count: int, channels: int) -> None:
    """Pixels of ``1, -1/2, 1/4, ...``, the last of them ``-1/512``."""
    values = (-0.5) ** torch.arange(10, dtype=torch.float64)
    a = values.view(1, 1, 2, 5).expand(2, channels, 2, 5) * doubles(1, 1e-40)[:, None, None, None]
    found = effective_complexity(a, threshold=threshold)
    torch.testing.assert_close(found[""], doubles(count, count))
    torch.testing.assert_close(found["share"], doubles(count, count) / 10)


def test_effective_complexity_of_degenerate_maps() -> None:
    a = torch.zeros(4, 2, 3, 5, dtype=torch.float64)
    a[1], a[2, 1, 0, 4] = -4, -1e-300
    a[3, 0], a[3, 1] = 2, -2  # the channels cancel
    assert effective_complexity(a)[""].tolist() == [0, 15, 1, 0]
    assert torch.equal(effective_complexity(a.float()[:2])[""], torch.tensor([0.0, 15.0]))


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.1, float("nan")])
def test_a_threshold_is_a_share(x: Tensor, threshold: float) -> None:
    with pytest.raises(
        XaiboardError, match="'threshold' of 'effective_complexity' must be above 0 and at most 1"
    ):
        metrics["effective_complexity"](attribution=x, threshold=threshold)


# JPEG size


def bytes_of(grey: np.ndarray, quality: int) -> bytes:
    file = BytesIO()
    Image.fromarray(grey.round().astype(np.uint8)).save(file, format="JPEG", quality=quality)
    return file.getvalue()


@pytest.mark.parametrize("quality", [1, 50, 90, 95])
def test_the_size_is_that_of_the_file(x: Tensor, quality: int) -> None:
    """And the file, read again, shows the map."""
    a = (x - 0.4) ** 3
    magnitude, spread = [], []
    for values in a.sum(1).numpy():
        levels = 255 * np.abs(values) / np.abs(values).max()
        file = bytes_of(levels, quality)
        magnitude.append(len(file))
        spread.append(len(bytes_of(255 * (values - values.min()) / (values.max() - values.min()), quality)))
        if quality == 95:
            assert np.abs(np.asarray(Image.open(BytesIO(file))) - levels).max() < 12
    assert jpeg_size(a, quality=quality).tolist() == magnitude
    assert jpeg_size(a, quality=quality, normalisation="range").tolist() == spread
    assert magnitude != spread


def test_noise_takes_more_bytes_than_a_ramp_and_a_ramp_more_than_nothing() -> None:
    noise = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    ramp = torch.linspace(0, 1, 28).expand(1, 1, 28, 28)
    for normalisation in ("magnitude", "range"):
        sizes = jpeg_size(torch.cat([noise, ramp, 0 * ramp]), normalisation=normalisation)
        assert sizes[0] > 2 * sizes[1] > 2 * sizes[2]
    assert (jpeg_size(noise, quality=20) < jpeg_size(noise)).all()


def test_size_of_constant_maps_and_of_rounding_noise() -> None:
    """All of them are one grey; without magnitudes, noise in the last bits would become a picture."""
    a = torch.ones(4, 3, 28, 28) * torch.tensor([0.0, 5.0, -1e-30, 5.0])[:, None, None, None]
    a[3] += 1e-6 * torch.rand(3, 28, 28, generator=torch.Generator().manual_seed(0))
    for normalisation in ("magnitude", "range"):
        assert jpeg_size(a, normalisation=normalisation).tolist() == [344] * 4


def test_the_size_knows_neither_scale_nor_sign(x: Tensor) -> None:
    a = x - 0.4
    for same in (-a, a * 1e-30, a * 7):
        assert torch.equal(jpeg_size(same), jpeg_size(a))
    assert torch.equal(jpeg_size(a * 7, normalisation="range"), jpeg_size(a, normalisation="range"))
    vector = torch.arange(40.0)[None]
    assert torch.equal(jpeg_size(vector), jpeg_size(vector[:, None, None]))


@pytest.mark.parametrize("quality", [0, 96, -5])
def test_a_quality_out_of_range_is_refused(x: Tensor, quality: int) -> None:
    with pytest.raises(XaiboardError, match="'quality' of 'jpeg_size' must be from 1 to 95"):
        metrics["jpeg_size"](attribution=x, quality=quality)
