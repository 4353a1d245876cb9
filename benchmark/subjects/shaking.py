"""Imitates rounding, only stronger: how much numbers change by it says how much another machine's rounding may."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from ..toolkit.executed import follow, opaque_part


class Shaker:
    """Makes each number smaller by a random part of it, up to ``size``: numbers of [0, 1] stay there.

    Args:
        size: the largest part.
    """

    def __init__(self, size: float) -> None:
        self.size = size
        self._generator = torch.Generator().manual_seed(0)

    def __call__(self, values: Tensor) -> Tensor:
        """The values, shaken; as they are if they are no floating-point numbers."""
        if not values.is_floating_point():
            return values
        part = torch.rand(values.shape, generator=self._generator, device="cpu", dtype=torch.float32)
        return values * (1 - self.size * part).to(values)

    def layers(self, model: nn.Module) -> AbstractContextManager[None]:
        """Shakes what each layer of a network returns, and thereby its gradient; of compiled code nothing."""

        def left(layer: nn.Module, output: object) -> Tensor | None:
            return self(output) if isinstance(output, Tensor) and not any(layer.children()) else None

        return nullcontext() if opaque_part(model) else follow(model, left=left)
