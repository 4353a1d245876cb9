"""Against blurring written out pixel by pixel."""

import numpy as np
import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import Reference, XaiboardError
from xaiboard.metrics.shared.baselines import baseline_image


def blur(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """One channel, kernel reaching ``height`` rows and ``width`` columns, reflected at the border."""
    i, j = np.mgrid[-height : height + 1, -width : width + 1]
    kernel = np.exp(-(i**2 + j**2) / (2 * 5.0**2))
    kernel /= kernel.sum()
    padded = np.pad(image, ((height, height), (width, width)), mode="reflect")
    rows, columns = image.shape
    return np.array(
        [
            [(kernel * padded[r : r + 2 * height + 1, c : c + 2 * width + 1]).sum() for c in range(columns)]
            for r in range(rows)
        ]
    )


@pytest.mark.parametrize(("shape", "reach"), [((14, 9), (5, 5)), ((4, 8), (3, 5)), ((1, 3), (0, 2))])
def test_blur(shape: tuple[int, int], reach: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = np.array([[blur(channel.numpy(), *reach) for channel in image] for image in x])
    torch.testing.assert_close(baseline_image(x, None, "blur", 5.0), torch.from_numpy(expected))


def test_zero_and_mean(x: Tensor) -> None:
    reference = Reference(x[0].float(), x[:2])
    assert torch.equal(baseline_image(x, None, "zero"), torch.zeros_like(x))
    assert torch.equal(baseline_image(x, reference, "mean"), x[0].float().double().expand_as(x))


def test_what_is_missing_is_said(x: Tensor) -> None:
    with pytest.raises(XaiboardError, match="'mean' needs the data set's mean image"):
        baseline_image(x, None, "mean")
    with pytest.raises(XaiboardError, match="'mean' needs a mean image shaped"):
        baseline_image(x, Reference(torch.zeros(2, 2), x), "mean")
    with pytest.raises(XaiboardError, match="'blur' needs images"):
        baseline_image(x.flatten(1), None, "blur")
