"""1-Lipschitz layers against slow implementations, values by hand and numerical derivatives."""

from __future__ import annotations

import math

import pytest
import torch
from xaiboard.models.layers import GroupSort2, HalfHuber, L2NormPool2d


def uniform(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


@pytest.mark.parametrize("shape", [(5, 8), (2, 6, 3, 4), (1, 2, 1, 1)])
def test_group_sort_against_sorting_each_pair(shape: tuple[int, ...]) -> None:
    x = uniform(*shape)
    expected = x.clone()
    for pair in range(shape[1] // 2):
        for sample in range(shape[0]):
            channels = x[sample, 2 * pair : 2 * pair + 2].reshape(2, -1)
            columns = [sorted(column) for column in channels.T.tolist()]
            expected[sample, 2 * pair : 2 * pair + 2] = torch.tensor(columns, dtype=x.dtype).T.view(
                2, *shape[2:]
            )
    assert torch.allclose(GroupSort2()(x), expected, atol=1e-15)


def test_group_sort_keeps_the_norm_of_gradients_on_ties_too() -> None:
    x = uniform(4, 6, 5, 5)
    x[:2] = 0
    x[2, 1] = x[2, 0]
    x.requires_grad_()
    upstream = uniform(4, 6, 5, 5, seed=1)
    (gradient,) = torch.autograd.grad(GroupSort2()(x), x, upstream)
    assert torch.allclose(gradient.flatten(1).norm(dim=1), upstream.flatten(1).norm(dim=1))


def test_l2_pool_against_the_norm_of_each_window() -> None:
    x = uniform(2, 3, 6, 4)
    pooled = L2NormPool2d(2)(x)
    assert pooled.shape == (2, 3, 3, 2)
    for row in range(3):
        for column in range(2):
            window = x[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            assert torch.allclose(pooled[:, :, row, column], window.flatten(2).norm(dim=2))


@pytest.mark.parametrize(
    ("size", "shape", "expected"), [(2, (1, 1, 7, 5), (3, 2)), (3, (1, 1, 9, 8), (3, 2))]
)
def test_l2_pool_drops_what_fills_no_window(
    size: int, shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    x = torch.ones(shape)
    pooled = L2NormPool2d(size)(x)
    assert pooled.shape[2:] == expected
    assert torch.allclose(pooled, torch.tensor(float(size)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_l2_pool_has_gradient_zero_on_windows_of_zeros(dtype: torch.dtype) -> None:
    x = torch.zeros(1, 2, 4, 4, dtype=dtype)
    x[0, 0, 0, 0] = 3
    x.requires_grad_()
    pooled = L2NormPool2d(2)(x)
    (gradient,) = torch.autograd.grad(pooled.sum(), x, create_graph=True)
    assert gradient[0, 0, 0, 0] == 1
    assert gradient.count_nonzero() == 1
    assert math.isclose(float(pooled.sum().detach()), 3, rel_tol=0.02)
    (second,) = torch.autograd.grad(gradient.sum(), x)
    assert second.float().isfinite().all() or dtype is torch.float16


@pytest.mark.parametrize("layer", [GroupSort2(), L2NormPool2d(2), HalfHuber(), HalfHuber(0.01)])
def test_slopes_between_random_points_are_at_most_one(layer: torch.nn.Module) -> None:
    x, y = uniform(200, 4, 6, 6), uniform(200, 4, 6, 6, seed=1)
    rise = (layer(x) - layer(y)).flatten(1).norm(dim=1)
    assert (rise <= (x - y).flatten(1).norm(dim=1) + 1e-12).all()


def test_half_huber_values_and_slopes_by_hand() -> None:
    table = [
        (-3, 0, 0),
        (0, 0, 0),
        (0.1, 0.01, 0.2),
        (0.25, 0.0625, 0.5),
        (0.5, 0.25, 1),
        (1, 0.75, 1),
        (2, 1.75, 1),
    ]
    points, values, slopes = torch.tensor(table, dtype=torch.float64).unbind(1)
    points.requires_grad_()
    y = HalfHuber()(points)
    (slope,) = torch.autograd.grad(y.sum(), points)
    assert torch.allclose(y, values, rtol=0, atol=1e-15)
    assert torch.allclose(slope, slopes, rtol=0, atol=1e-15)


@pytest.mark.parametrize("delta", [0.1, 0.5, 2.0])
def test_half_huber_derivatives_against_differences(delta: float) -> None:
    x = 3 * uniform(5, 4, 3)
    apart = torch.minimum(x.abs(), (x - delta).abs()) > 1e-3  # second derivatives jump at 0 and at delta
    assert apart.sum() > 50
    x = x[apart].requires_grad_()
    assert torch.autograd.gradcheck(HalfHuber(delta), (x,))
    assert torch.autograd.gradgradcheck(HalfHuber(delta), (x,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_half_huber_approaches_relu_and_curves_at_most_by_its_width(dtype: torch.dtype) -> None:
    x = torch.tensor([-1e6, -1e-30, 0.0, 1e-30, 0.25, 0.5, 0.50001, 1e6], dtype=dtype, requires_grad=True)
    y = HalfHuber()(x)
    gap = x.relu() - y
    assert gap.min() >= 0
    assert gap.max() <= 0.25
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x)
    assert second.min() >= 0
    assert second.max() == 2
    assert second[[0, 1, 6, 7]].tolist() == [0, 0, 0, 0]
