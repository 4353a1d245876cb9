"""1-Lipschitz layers that torch lacks: sorting in pairs, pooling by the L2 norm, a smooth ReLU.

The code of a ``forward``, its docstring too, is part of the identity of networks that users give as objects: whoever
changes it makes finished cells of such networks be computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import relu


class GroupSort2(nn.Module):
    """Sorts each pair of neighbouring channels in ascending order: ``(B, C, ...)`` to the same shape, C even.

    The output is a permutation of the input, so it has the same norm (Anil et al. 2019, arXiv:1811.05381).

    Args:
        rectifier: maps the differences "first minus second" to what is moved from the first to the second. With ReLU
            that is the excess of the first, and the pair is sorted. With a smooth function of slope 0 to 1 the pair is
            mixed instead, and the layer is still 1-Lipschitz.
    """

    lipschitz: ClassVar[float] = 1.0

    def __init__(self, rectifier: Callable[[Tensor], Tensor] = relu) -> None:
        super().__init__()
        self.rectifier = rectifier

    def with_rectifier(self, rectifier: Callable[[Tensor], Tensor]) -> GroupSort2:
        """The same layer with another rectifier, such as a smooth one for attacks that need second derivatives."""
        return GroupSort2(rectifier)

    def forward(self, x: Tensor) -> Tensor:
        """The sorted pairs; their sums are those of the pairs of ``x`` whatever the rectifier."""
        first, second = x.unflatten(1, (-1, 2)).unbind(2)
        # The same as minimum and maximum, up to the last bit. But its backward pass is ten times as fast, and on ties
        # its gradient is that of a permutation, where minimum and maximum halve it between the two.
        excess = self.rectifier(first - second)
        return torch.stack((first - excess, second + excess), 2).flatten(1, 2)


class L2NormPool2d(nn.Module):
    """L2 norm of each ``size`` by ``size`` window, without overlap: ``(B, C, H, W)`` to ``(B, C, H', W')``.

    Rows and columns at the end that fill no whole window are dropped. The gradient on a window of zeros is 0.
    """

    lipschitz: ClassVar[float] = 1.0

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = size

    def extra_repr(self) -> str:
        """The size, for ``print``."""
        return str(self.size)

    def forward(self, x: Tensor) -> Tensor:
        """The norms."""
        squares = _sum_windows(_sum_windows(x.square(), -2, self.size), -1, self.size)
        # The square root has no finite slope at 0. Clamping makes the gradient 0 there, and keeps second derivatives
        # finite. The result is the norm of the window, or 1e-12 if that is larger, which is still 1-Lipschitz.
        return squares.clamp_min(max(1e-24, torch.finfo(x.dtype).tiny)).sqrt()


class HalfHuber(nn.Module):
    """ReLU with a smooth corner: ``x^2 / (2 delta)`` between 0 and ``delta``, ``x - delta / 2`` above, any shape.

    Its slope, ``clamp(x / delta, 0, 1)``, changes with x. Training can thus lower a penalty on the input gradient of a
    network by shifting activations along the corner. The slope of ReLU is constant on both sides of 0 and offers no
    such direction (Woods et al. 2019, arXiv:1906.02896).
    """

    lipschitz: ClassVar[float] = 1.0

    def __init__(self, delta: float = 0.5) -> None:
        super().__init__()
        self.delta = delta

    def extra_repr(self) -> str:
        """The width of the corner, for ``print``."""
        return str(self.delta)

    def forward(self, x: Tensor) -> Tensor:
        """The activations."""
        clamped = x.clamp(0, self.delta)
        return clamped * (x - clamped / 2) / self.delta


def _sum_windows(x: Tensor, axis: int, size: int) -> Tensor:
    """Sums of ``size`` neighbours along an axis. Adding slices is three times as fast on a CPU as ``avg_pool2d``."""
    whole = x.narrow(axis, 0, x.shape[axis] // size * size)
    return reduce(torch.add, whole.unflatten(axis, (-1, size)).unbind(axis))
