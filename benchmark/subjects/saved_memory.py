"""How much memory a network takes: what a forward pass keeps for the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class SavedMemory:
    """Bytes that forward passes of a network keep for their backward passes, without its weights and buffers.

    The bytes are counted, not read from the process, so that they are the same in every run.

    Args:
        model: the network.
    """

    def __init__(self, model: nn.Module) -> None:
        own = (each for each in (*model.parameters(), *model.buffers()) if each.layout is torch.strided)
        self._own = {each.untyped_storage().data_ptr() for each in own}
        self._saved: dict[int, int] = {}

    @property
    def bytes(self) -> int:
        """What was kept so far; memory that several layers keep counts once."""
        return sum(self._saved.values())

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Counts what passes inside the ``with`` block keep; the graph must live to its end."""

        def keep(saved: Tensor) -> Tensor:
            if saved.layout is torch.strided:
                storage = saved.untyped_storage()
                if storage.data_ptr() not in self._own:
                    self._saved[storage.data_ptr()] = storage.nbytes()
            return saved.detach()  # the tensor itself would keep the graph alive, which keeps it

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept):
            yield
