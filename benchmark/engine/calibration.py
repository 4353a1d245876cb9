"""The speed of each network on this machine, kept by its weights in the user's cache: timed once a week at most."""

from __future__ import annotations

import platform
import time
from typing import Any

import torch

from ..subjects.trained_models import TrainedModel
from ..toolkit.user_cache import Notes
from .batching import Batcher
from .plan import Plan
from .speed import Speed, measure

WEEK = 7 * 86400.0
"""Seconds after which a network is timed again: a machine may change."""

MOST_WAITED, SLACK = 0.3, 0.05
"""Share of a timing, beyond so many seconds, that other programs may have had the processor: else it is not kept."""


class Calibration:
    """Seconds for a forward and a backward pass of networks on the images of a plan.

    Args:
        plan: whose networks are timed.
        batch_size: samples in a batch; None for a size that suits the device.
    """

    def __init__(self, plan: Plan, batch_size: int | None = None) -> None:
        self._data, self._conditions = plan.data, plan.conditions
        self._batch_size = batch_size
        self._notes = Notes("speeds", f"{platform.node()}, torch {torch.__version__}")

    def speed(self, trained: TrainedModel) -> Speed:
        """Timed now, for at most two seconds or four passes of an image, unless it is known.

        On a busy machine it is true of this run alone, and not kept.
        """
        conditions = self._conditions
        batcher = Batcher(self._batch_size, conditions.device)
        batcher.suit(trained.image_bytes)
        around = (
            conditions.device, conditions.dtype, torch.get_num_threads(), tuple(self._data.shape), batcher.size
        )  # fmt: skip
        name = f"{trained.digest} {around}"
        if known := _read(self._notes.get(name)):
            return known
        dtype = getattr(torch, conditions.dtype)
        model = trained.module.to(device=conditions.device, dtype=dtype)
        x = self._data[: batcher.size].x.to(device=conditions.device, dtype=dtype)
        started, used = time.perf_counter(), time.thread_time()
        found = measure(model, x)
        taken = time.perf_counter() - started
        waited = taken - (time.thread_time() - used)
        if found.forward and waited <= MOST_WAITED * taken + SLACK:
            self._notes.note(name, [found.forward, found.backward, time.time()])
        return found

    def write(self) -> None:
        """Keeps what was timed."""
        self._notes.write()


def _read(noted: Any) -> Speed | None:  # noqa: ANN401 - whatever the file holds
    """A note that is not older than a week; None if it is, or is none."""
    try:
        forward, backward, when = map(float, noted)
    except (TypeError, ValueError):
        return None
    return Speed(forward, backward) if 0 <= time.time() - when < WEEK and forward > 0 <= backward else None
