"""How fast a network is here: seconds for an image forward and backward, timed for a moment before a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from .costs import Cost

LONG, REPEATS = 0.2, 7
"""Seconds after which a timing is long enough, and how many short ones there are."""


@dataclass(frozen=True)
class Speed:
    """Seconds for an image forward, and for one backward after it; 0 where the network does not take the images."""

    forward: float = 0.0
    backward: float = 0.0

    def seconds(self, cost: Cost) -> float:
        """What passes take."""
        return self.forward * cost.forward + self.backward * cost.backward


def measure(model: nn.Module, x: Tensor) -> Speed:
    """Times a network on a batch as large as those of the run, or on a part of it where that takes long.

    Args:
        model: in eval mode, on the device of ``x``.
        x: a batch, ``(B, C, H, W)``.
    """
    found = Speed()
    with torch.random.fork_rng(), suppress(Exception):  # whoever needs the network reports what it raises
        for size in dict.fromkeys(min(size, len(x)) for size in (1, 8, 64, len(x))):
            forward, backward = partial(_forward, model, x[:size]), partial(_backward, model, x[:size])
            seconds = _seconds(forward)
            found = Speed(seconds / size)
            found = Speed(seconds / size, max(0.0, _seconds(backward) - seconds) / size)
            if seconds > LONG:
                break
    return found


@torch.no_grad()
def _forward(model: nn.Module, x: Tensor) -> None:
    model(x)


def _backward(model: nn.Module, x: Tensor) -> None:
    leaf = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        torch.autograd.grad(model(leaf.clone()).sum(), leaf)


def _seconds(act: Callable[[], None]) -> float:
    """The fastest of some repetitions, as other programs only slow a pass down; the only one where it takes long."""
    taken: list[float] = []
    while len(taken) < REPEATS and sum(taken) < LONG:
        _finish()
        start = time.perf_counter()
        act()
        _finish()
        taken.append(time.perf_counter() - start)
    return min(taken)


def _finish() -> None:
    """Waits for what a GPU is still computing."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
