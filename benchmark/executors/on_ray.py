"""The engine ``ray``: tasks on a cluster of Ray, whose nodes share the folder of the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt

from ..errors import XaiboardError, message
from .jobs import Engine, Job, LostError, WorkError


def ray(
    folder: Path,
    *,
    address: str = "",
    gpus: Annotated[float, Ge(0)] = 0.0,
    threads: Annotated[int, Ge(1)] = 1,
    queued: Annotated[float, Gt(0)] = 2.0,
) -> Engine:
    """Tasks on a cluster of Ray.

    Args:
        folder: of the run.
        address: of the cluster; where there is none, that of the environment, a cluster on this machine, or a new one
            of all its cores.
        gpus: share of a GPU that each task has.
        threads: of torch in each task, and cores that it has.
        queued: how many tasks are with Ray at a time, for each one that can run.

    Raises:
        XaiboardError: Ray is not installed, does not answer, or has no room for a task.
    """
    return _Ray(address, gpus, threads, queued)


class _Ray:
    def __init__(self, address: str, gpus: float, threads: int, queued: float) -> None:
        try:
            self._ray: Any = import_module("ray")
        except ImportError:
            raise XaiboardError(
                "the engine 'ray' needs Ray, which is not installed; install it with: pip install 'xaiboard[ray]'"
            ) from None
        os.environ.setdefault(
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0"
        )  # what Ray will do, without its warning
        self._began = not self._ray.is_initialized()
        try:
            if self._began:
                self._ray.init(address or None, log_to_driver=False, logging_level="ERROR")
            there = self._ray.cluster_resources()
        except Exception as error:  # of many kinds
            at = f"at '{address}'" if address else "here"
            raise XaiboardError(
                f"no cluster of Ray answers {at} ({message(error)}); start one with 'ray start --head', and give its"
                " address as in ray[address=HOST:6379]"
            ) from None
        fitting = [there.get("CPU", 0) / threads] + ([there.get("GPU", 0) / gpus] if gpus else [])
        self.slots = int(min(fitting))
        self.room = max(1, int(queued * self.slots))
        self.threads = threads
        if not self.slots:
            self.close()
            raise XaiboardError(
                f"the cluster of Ray has {there.get('CPU', 0):g} cores and {there.get('GPU', 0):g} GPUs, and a task"
                f" needs {threads} and {gpus:g}; give smaller settings"
            )
        self._options = {"num_cpus": threads, "num_gpus": gpus, "max_retries": 0}

    def submit(self, function: Callable[[Any], Any], arguments: Sequence[Any]) -> list[Job]:
        """Each is a task; one whose worker dies is not tried again here."""
        task = self._ray.remote(**self._options)(function)
        return [_RayJob(self._ray, task.remote(argument)) for argument in arguments]

    def close(self) -> None:
        """Leaves the cluster, which ends the tasks."""
        if self._began:
            self._ray.shutdown()


class _RayJob:
    def __init__(self, library: Any, reference: Any) -> None:  # noqa: ANN401
        self._ray, self._reference = library, reference

    def done(self) -> bool:
        """Whether the task has ended."""
        return bool(self._ray.wait([self._reference], timeout=0)[0])

    def result(self) -> Any:  # noqa: ANN401
        """What the function returned."""
        try:
            return self._ray.get(self._reference)
        except self._ray.exceptions.RayTaskError as error:
            raise WorkError(str(error)) from None
        except self._ray.exceptions.RayError as error:  # the worker, its node or its memory is gone
            raise LostError(message(error)[:300]) from None
