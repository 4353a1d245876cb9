"""One value for each pixel, and orders in which noise is no ranking."""

import torch
from xaiboard.benchmark.toolkit.pixels import descending_order, largest, magnitudes, pixel_values, quantise
from xaiboard.benchmark.toolkit.rng import SampleRng


def test_a_pixel_is_the_signed_sum_of_its_channels() -> None:
    a = torch.tensor([[[[1.0, -2.0]], [[3.0, 1.0]], [[-1.0, 0.0]]]])
    assert torch.equal(pixel_values(a), torch.tensor([[3.0, -1.0]]))
    assert torch.equal(magnitudes(a), torch.tensor([[[5.0, 3.0]]]))


def test_a_feature_of_a_vector_is_a_pixel() -> None:
    a = torch.tensor([[1.0, -2.0, 0.0]])
    assert torch.equal(pixel_values(a), a)
    assert torch.equal(magnitudes(a), a.abs()[:, None])


def test_noise_makes_ties_and_differences_stay() -> None:
    a = torch.tensor([[1.0, 0.5, 0.5 + 1e-7, 1e-7, 0.0, -1e-7, 0.50002]], dtype=torch.float64)
    one, half, noisy, *zeros, more = quantise(a)[0].tolist()
    assert half == noisy
    assert zeros == [0, 0, 0]
    assert one > more > half


def test_the_scale_of_a_map_changes_nothing() -> None:
    a = torch.randn(3, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for scale in (2.0**-60, 0.5, 1024.0):
        assert torch.equal(quantise(a * scale), quantise(a))
    assert torch.equal(quantise(torch.zeros(2, 4)), torch.zeros(2, 4, dtype=torch.int64))


def test_order_is_descending_and_signed() -> None:
    a = torch.randn(5, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    order = descending_order(a, SampleRng(0, range(5), ""))
    assert torch.equal(order, a.argsort(1, descending=True))


def test_ties_are_broken_at_random_for_each_sample() -> None:
    """Of two tied pixels, each comes first in half of 400 samples (4 sigma: 40)."""
    a = torch.tensor([1.0, 3.0, 1.0]).expand(400, 3)
    order = descending_order(a, SampleRng(0, range(400), ""))
    assert (order[:, 0] == 1).all()
    assert abs((order[:, 1] == 0).sum() - 200) < 40


def test_largest_gives_ties_to_the_lowest_index() -> None:
    a = torch.tensor([[0.0, 2.0, 5.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    assert torch.equal(largest(a, 3), torch.tensor([[2, 1, 3], [0, 1, 2]]))
