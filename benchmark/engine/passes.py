"""Counts what attributions and metrics cost: samples that went forward and backward through a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass
class Passes:
    """Numbers of samples that went through the model."""

    forward: float = 0
    backward: float = 0


@contextmanager
def count_passes(model: nn.Module, report: Callable[[int], object] | None = None) -> Iterator[Passes]:
    """Counts passes through ``model`` inside the ``with`` block, and reports each batch's size."""
    passes = Passes()

    def went_back(gradient: Tensor) -> None:
        passes.backward += len(gradient)
        if report is not None:
            report(len(gradient))

    def went_forward(_module: nn.Module, _inputs: object, output: object) -> None:
        if not isinstance(output, Tensor) or output.ndim == 0:
            return  # the caller of the model says what is wrong with it
        passes.forward += len(output)
        if report is not None:
            report(len(output))
        if output.requires_grad:
            output.register_hook(went_back)

    handle = model.register_forward_hook(went_forward)
    try:
        yield passes
    finally:
        handle.remove()
