"""Closed forms of Hurley & Rickard's index, and its defining double sum."""

import pytest
import torch
from torch import Tensor
from xaiboard.metrics.gini import gini


def test_one_pixel_holds_all() -> None:
    a = torch.zeros(2, 1, 5, 4, dtype=torch.float64)
    a[0, 0, 2, 3], a[1, 0, 0, 0] = 7.0, -0.01
    torch.testing.assert_close(gini(a), torch.full((2,), 1 - 1 / 20, dtype=torch.float64))


def test_all_pixels_hold_the_same() -> None:
    a = torch.tensor([3.0, -3.0]).double()[:, None, None, None].expand(2, 2, 5, 4)
    torch.testing.assert_close(gini(a), torch.zeros(2).double())


def test_half_of_the_pixels_hold_all() -> None:
    a = torch.tensor([[0.0, 1.0] * 8]).double()
    torch.testing.assert_close(gini(a), torch.tensor([0.5]).double())


@pytest.mark.parametrize("pixels", [2, 9, 100])
def test_a_ramp(pixels: int) -> None:
    """``1, 2, ..., P``: ``(P - 1) / 3 P``."""
    a = torch.arange(1.0, pixels + 1).double()[None].flip(1)
    torch.testing.assert_close(gini(a), torch.tensor([(pixels - 1) / (3 * pixels)]).double())


def test_a_map_of_zeros_is_not_sparse() -> None:
    assert torch.equal(gini(torch.zeros(2, 3, 4, 4)), torch.zeros(2))


def test_is_the_mean_absolute_difference(x: Tensor) -> None:
    """``sum_ij | |a_i| - |a_j| | / (2 P^2 mean|a|)`` of the channel sum."""
    a = x - 0.5
    values = a.sum(1).flatten(1).abs()
    differences = (values[:, :, None] - values[:, None]).abs().mean((1, 2))
    torch.testing.assert_close(gini(a), differences / (2 * values.mean(1)))


def test_knows_neither_scale_nor_sign_nor_place(x: Tensor) -> None:
    a = x - 0.5
    torch.testing.assert_close(gini(-a * 1e-30), gini(a))
    torch.testing.assert_close(gini(a.flip(2).mT), gini(a))
