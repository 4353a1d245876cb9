"""Training in the foreground: a progress bar, checkpoints, and a sentence when it stops early."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import torch
from torch import nn
from tqdm.auto import tqdm

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.data import Data
from .checkpoint import Checkpoint, State
from .interrupt import deferred_interrupt
from .loop import Loop
from .objectives import Objective
from .pooling import sliced_pooling

AFTER_EPOCH = 10.0
"""Seconds between checkpoints at least; they are written when an epoch ends."""

WITHIN_EPOCH = 60.0
"""Seconds after which one is written before the epoch ends."""


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
    """Minimises ``objective`` over ``data`` as :class:`~xaiboard.models.loop.Loop` does; returns seconds.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``; trained in place.
        data: the training split.
        objective: as in :mod:`xaiboard.models.objectives`.
        epochs: passes over the data.
        generator: of the order of the images and of the objective, on the model's device.
        rate: learning rate at the start.
        batch_size: images in a step.
        title: what the progress bar calls it.
        show_transport: whether the bar shows the Kantorovich-Rubinstein term of the logits.
        checkpoint: keeps the training while it lasts, its last step too; None: nothing does.
        start: where a training with the same arguments stopped; None for the beginning.

    Raises:
        XaiboardError: loss, gradient or parameters are not finite, ``start`` does not fit, or the checkpoint cannot
            be written.
        KeyboardInterrupt: Ctrl-C; with a checkpoint, once the running step is finished and written.
    """
    loop = Loop(model, data, objective, epochs=epochs, generator=generator, rate=rate, batch_size=batch_size)
    if start is not None:
        loop.restore(start)
    # On a GPU torch's own pooling is the faster one.
    pooling = sliced_pooling(model) if generator.device.type == "cpu" else nullcontext()
    bar = tqdm(total=loop.steps, initial=loop.step, desc=title, unit="step", disable=None)
    shown = ("loss", "accuracy", "margin", *(["kr"] if show_transport else []))
    with pooling, bar:
        try:
            steps = _steps(loop, bar, shown)
            if checkpoint is None:
                deque(steps, maxlen=0)
            else:
                _keep(loop, steps, checkpoint)
        except FloatingPointError as error:
            kept = checkpoint is not None and checkpoint.path.exists()
            raise XaiboardError(
                f"{title}: {error} at step {loop.step + 1} (epoch {loop.epoch});"
                + (f" '{checkpoint.path}' keeps an earlier step;" if checkpoint and kept else "")
                + f" train with another seed, or with a recipe whose learning rate is below {rate:g}"
            ) from None
    return loop.seconds


def _steps(loop: Loop, bar: tqdm, shown: Sequence[str]) -> Iterator[None]:
    """Makes the steps that are left, and shows them."""
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


def _keep(loop: Loop, steps: Iterator[None], checkpoint: Checkpoint) -> None:
    """Makes the steps, and writes checkpoints; Ctrl-C stops between two steps."""
    last = time.monotonic() - AFTER_EPOCH  # the first epoch's is written at once, and shows that it can be
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
