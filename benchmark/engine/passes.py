"""Counts the samples that go forward and backward through a model: what attributions and metrics cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

from torch import Tensor, nn

from ..subjects.logits import is_dense


class TooManyPassesError(Exception):
    """More passes than are allowed."""


@dataclass
class Passes:
    """Numbers of samples that went through the model so far, and how many may go at most, both ways together.

    ``explained`` counts samples that a method explained of whose passes nothing is known yet.
    """

    forward: float = 0
    backward: float = 0
    most: float = inf
    explained: float = 0

    def add(self, forward: float = 0, backward: float = 0) -> None:
        """Counts more samples.

        Raises:
            TooManyPassesError: these are more than may go.
        """
        self.forward += forward
        self.backward += backward
        if self.forward + self.backward > self.most:
            raise TooManyPassesError


@contextmanager
def count_passes(model: nn.Module, report: Callable[[int, int], object] | None = None) -> Iterator[Passes]:
    """Counts passes through ``model`` inside the ``with`` block.

    Args:
        model: the model; copies made inside the block count too, since they copy its hook.
        report: is called with the numbers of samples that have just gone forward and backward.
    """
    passes = Passes()

    def went_back(gradient: Tensor) -> None:
        passes.add(backward=len(gradient))
        if report is not None:
            report(0, len(gradient))

    def went_forward(_module: nn.Module, _inputs: object, output: object) -> None:
        if not is_dense(output) or output.ndim == 0:
            return  # no logits: whoever called the model reports that
        passes.add(forward=len(output))
        if report is not None:
            report(len(output), 0)
        if output.requires_grad:
            output.register_hook(went_back)

    handle = model.register_forward_hook(went_forward)
    try:
        yield passes
    finally:
        handle.remove()
