"""Runs a training with a progress bar and checkpoints, and turns what stops it early into a sentence."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import torch
from torch import nn

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.data import Data
from ...benchmark.toolkit.progress import Bar
from .checkpoint import Checkpoint, State
from .interrupt import deferred_interrupt
from .loop import Loop
from .objectives import Objective
from .pooling import sliced_pooling

AFTER_EPOCH = 10.0
"""At the end of an epoch a checkpoint is written if the last one is at least so many seconds old."""

WITHIN_EPOCH = 60.0
"""Within an epoch a checkpoint is written if the last one is at least so many seconds old."""


def fit(
    model: nn.Module,
    data: Data,
    objective: Objective,
    *,
    epochs: int,
    generator: torch.Generator,
    rate: float = 3e-3,
    batch_size: int = 64,
    title: str = "training",
    show_transport: bool = False,
    checkpoint: Checkpoint | None = None,
    start: State | None = None,
) -> float:
    """Trains ``model`` with the steps of :class:`~xaiboard.models.training.loop.Loop`; the seconds that it took.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``; trained in place.
        data: the training split.
        objective: what is minimised, see :mod:`xaiboard.models.training.objectives`.
        epochs: passes over the data.
        generator: source of the order of the images and of the objective's random numbers, on the model's device.
        rate: learning rate at the start.
        batch_size: images in a step.
        title: title of the progress bar.
        show_transport: whether the bar shows the Kantorovich-Rubinstein term of the logits.
        checkpoint: where the state of the training is written from time to time, and after the last step; None for
            nowhere.
        start: the state in which a training with the same arguments stopped; None to start from the beginning.

    Raises:
        XaiboardError: loss, gradient or parameters are not finite, ``start`` does not fit, or the checkpoint cannot
            be written.
        KeyboardInterrupt: Ctrl-C; with a checkpoint, only after the current step is finished and written.
    """
    loop = Loop(model, data, objective, epochs=epochs, generator=generator, rate=rate, batch_size=batch_size)
    if start is not None:
        loop.restore(start)
    # On a GPU torch's own pooling is faster.
    pooling = sliced_pooling(model) if generator.device.type == "cpu" else nullcontext()
    bar = Bar(total=loop.steps, initial=loop.step, desc=title, unit="step", disable=None)
    shown = ("loss", "accuracy", "margin", *(["kr"] if show_transport else []))
    with pooling, bar:
        try:
            steps = _steps(loop, bar, shown)
            if checkpoint is None:
                deque(steps, maxlen=0)  # makes all steps
            else:
                _write_checkpoints(loop, steps, checkpoint)
        except FloatingPointError as error:
            kept = checkpoint is not None and checkpoint.path.exists()
            raise XaiboardError(
                f"{title}: {error} at step {loop.step + 1} (epoch {loop.epoch});"
                + (f" '{checkpoint.path}' keeps an earlier step;" if checkpoint and kept else "")
                + f" train with another seed, or with a recipe whose learning rate is below {rate:g}"
            ) from None
    return loop.seconds


def _steps(loop: Loop, bar: Bar, shown: Sequence[str]) -> Iterator[None]:
    """Makes one of the remaining steps at each iteration, and updates the progress bar."""
    epochs = loop.steps // loop.batches
    while loop.step < loop.steps:
        epoch = loop.epoch
        loop.advance()
        means = loop.means()
        bar.set_postfix(
            {"epoch": f"{epoch}/{epochs}", **{name: f"{means[name]:.4f}" for name in shown}}, refresh=False
        )
        bar.update()
        yield


def _write_checkpoints(loop: Loop, steps: Iterator[None], checkpoint: Checkpoint) -> None:
    """Makes the steps, and writes checkpoints in between. Ctrl-C stops after the current step, which is written."""
    last = (
        time.monotonic() - AFTER_EPOCH
    )  # so the first epoch ends with a checkpoint: early proof that it can be written
    with deferred_interrupt() as interrupted:
        for _ in steps:
            pause = AFTER_EPOCH if loop.step % loop.batches == 0 else WITHIN_EPOCH
            due = time.monotonic() - last >= pause or loop.step == loop.steps
            stop = interrupted()
            if due or stop:
                checkpoint.write(loop.state())
                last = time.monotonic()
            if stop:
                raise KeyboardInterrupt(
                    f"interrupted after step {loop.step} of {loop.steps}, which '{checkpoint.path}' keeps"
                )
