"""Deletion, insertion and SRG of whole squares of pixels: against erasing them one by one."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, metrics
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.shared.cells import cells_of
from xaiboard.metrics.shared.removal import RemovalCurve, random_order_curves

SIDE, CELL = 8, 4


@pytest.fixture
def net() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return (
            nn.Sequential(nn.Flatten(), nn.Linear(2 * SIDE * SIDE, 6), nn.Tanh(), nn.Linear(6, 3))
            .double()
            .eval()
        )


@pytest.fixture
def x() -> Tensor:
    return torch.rand(4, 2, SIDE, SIDE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def attribution(x: Tensor) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@torch.no_grad()
def square_by_square(
    net: nn.Module, image: Tensor, chosen: int, values: Tensor, *, insert: bool
) -> list[float]:
    """Probabilities while the four squares are erased, or inserted into black, by the sum of their values."""
    corners = [(top, left) for top in range(0, SIDE, CELL) for left in range(0, SIDE, CELL)]
    corners.sort(
        key=lambda corner: -values[:, corner[0] : corner[0] + CELL, corner[1] : corner[1] + CELL].sum().item()
    )
    current = torch.zeros_like(image) if insert else image.clone()
    curve = [net(current[None]).softmax(1)[0, chosen].item()]
    for top, left in corners:
        square = (slice(None), slice(top, top + CELL), slice(left, left + CELL))
        current[square] = image[square] if insert else 0
        curve.append(net(current[None]).softmax(1)[0, chosen].item())
    return curve


@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_agrees_with_erasing_square_by_square(
    name: str, net: nn.Module, x: Tensor, attribution: Tensor
) -> None:
    target = net(x).argmax(1)
    found = metrics[name](model=net, x=x, target=target, attribution=attribution, cell=CELL, steps=4)
    expected = torch.tensor(
        [
            square_by_square(net, image, int(chosen), values, insert=name == "insertion")
            for image, chosen, values in zip(x, target, attribution, strict=True)
        ],
        dtype=torch.float64,
    )
    torch.testing.assert_close(found["curve"], expected)
    torch.testing.assert_close(found[""], torch.trapezoid(expected, dx=1 / 4, dim=1))


def test_srg_is_insertion_minus_deletion_of_squares(net: nn.Module, x: Tensor, attribution: Tensor) -> None:
    target = net(x).argmax(1)
    deletion, insertion, srg = (
        metrics[name](model=net, x=x, target=target, attribution=attribution, cell=CELL, steps=4)[""]
        for name in ("deletion", "insertion", "srg")
    )
    torch.testing.assert_close(srg, insertion - deletion)


@torch.no_grad()
def test_random_orders_are_of_squares_too(net: nn.Module, x: Tensor) -> None:
    """Each point of their curves is the probability without some of the four squares."""
    target = torch.zeros(len(x), dtype=torch.int64)
    curves = random_order_curves(
        net, x, target, SampleRng(0, range(len(x)), "orders"), None, removal=RemovalCurve(steps=4, cell=CELL)
    )
    left = []
    for kept in product((0, 1), repeat=4):
        mask = torch.tensor(kept).view(2, 2).repeat_interleave(CELL, 0).repeat_interleave(CELL, 1)
        left.append(net(x * mask).softmax(1)[:, 0])
    nearest = (curves[..., 0].flatten(1)[:, :, None] - torch.stack(left, 1)[:, None]).abs().amin(2)
    assert nearest.max() < 1e-12


def test_squares_are_counted_row_by_row(x: Tensor) -> None:
    squares = cells_of(x, CELL)
    assert squares.shape == (4, 16)
    assert squares[1].tolist() == [SIDE * row + column for row in range(4) for column in range(4, 8)]
    assert cells_of(x, 1)[:, 0].tolist() == list(range(64))


@pytest.mark.parametrize("inputs", [(3, 1, 8, 6), (3, 9)])
def test_squares_that_do_not_fit_are_refused(inputs: tuple[int, ...]) -> None:
    with pytest.raises(XaiboardError, match="setting 'cell' must divide the sides of the images; got 4 for"):
        cells_of(torch.rand(inputs), CELL)
