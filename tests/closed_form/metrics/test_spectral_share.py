"""The spectrum of a perturbation, on waves whose frequencies are known."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import metrics

SIDE = 28


def wave(down: int, across: int, height: int = SIDE, width: int = SIDE) -> Tensor:
    rows, columns = torch.arange(height).double()[:, None], torch.arange(width).double()
    return (2 * pi * (down * rows / height + across * columns / width)).cos()


def share(change: Tensor, cycles: float = 8.0) -> tuple[list[float], list[float]]:
    """Scores and weights of changes ``(B, H, W)`` of one image."""
    x = torch.zeros_like(change[:, None])
    found = metrics["spectral_share"](x=x, perturbed_x=x + change[:, None], cycles=cycles)[""]
    return found.score.tolist(), found.weight.tolist()


@pytest.mark.parametrize(
    ("down", "across", "beyond"),
    [
        (0, 8, 0),
        (8, 0, 0),
        (0, 9, 1),
        (9, 0, 1),
        (5, 6, 0),
        (6, 6, 1),
        (-6, 6, 1),
        (0, 14, 1),
        (1, 8, 1),
        (1, 1, 0),
    ],
)
def test_a_wave_is_on_one_side(down: int, across: int, beyond: int) -> None:
    found, weight = share(0.01 * wave(down, across)[None])
    assert found == pytest.approx([beyond], abs=1e-12)
    assert weight == [1]


def test_energies_of_waves_and_of_the_mean_add_up() -> None:
    """A wave of amplitude a has the energy a^2 / 2 a pixel, a constant c has c^2, and one of 14 cycles has a^2."""
    low, high = wave(2, 3), wave(10, 0)
    changes = torch.stack([3 * low + 4 * high, 0.5 + high, 2 * low + wave(14, 14)])
    expected = [16 / 25, 0.5 / 0.75, 1 / 3]
    for scale in (1e-3, 1e-30, 1e-200):
        assert share(scale * changes)[0] == pytest.approx(expected)
    assert share(changes.roll((5, 3), (1, 2)))[0] == pytest.approx(expected)


def test_cycles_are_those_of_each_side_and_channels_add() -> None:
    change = torch.stack([wave(4, 3, 12, 20), 2 * wave(0, 6, 12, 20), 0 * wave(0, 0, 12, 20)])[None]
    x = torch.zeros_like(change)
    for cycles, expected in ((4.9, 1), (5, 0.8), (5.9, 0.8), (6, 0)):
        found = metrics["spectral_share"](x=x, perturbed_x=change, cycles=cycles)[""]
        assert found.score.item() == pytest.approx(expected, abs=1e-12)


def test_against_sums_of_cosines_and_sines() -> None:
    """The transform written out, on a small image of an odd side."""
    change = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(0)).double()
    pixels = change[0].numpy()
    beyond = total = 0.0
    for u in range(-2, 3):
        for v in range(-3, 3):
            angle = 2 * pi * (u * np.arange(5)[:, None] / 5 + v * np.arange(6) / 6)
            energy = (pixels * np.cos(angle)).sum() ** 2 + (pixels * np.sin(angle)).sum() ** 2
            total += energy
            beyond += energy if u * u + v * v > 4 else 0
    assert share(change, cycles=2)[0] == pytest.approx([beyond / total])


def test_no_change_has_no_weight() -> None:
    found, weight = share(torch.stack([0 * wave(1, 1), wave(9, 9)]))
    assert weight == [0, 1]
    assert found == pytest.approx([0, 1])


def test_white_noise() -> None:
    """In proportion to the frequencies: 205 of 784 are within 8 cycles."""
    frequencies = [(min(u, 28 - u), min(v, 28 - v)) for u in range(28) for v in range(28)]
    expected = sum(u * u + v * v > 64 for u, v in frequencies) / 784
    noise = torch.randn(200, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).double()
    assert np.mean(share(noise)[0]) == pytest.approx(expected, abs=0.005)
    assert f"{expected:.2f}" == "0.75"
