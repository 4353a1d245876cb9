"""The engine ``slurm``: jobs of Slurm by submitit, whose nodes share the folder of the run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge

from ..errors import XaiboardError, message
from .jobs import Engine, Job, LostError, WorkError

MOST = 1000
"""Jobs of one array; Slurm takes 1,000 unless it is told otherwise."""


def slurm(
    folder: Path,
    *,
    executor: Literal["slurm", "local"] = "slurm",
    partition: str = "",
    account: str = "",
    jobs: Annotated[int, Ge(1)] = 16,
    threads: Annotated[int, Ge(1)] = 1,
    memory: Annotated[int, Ge(1)] = 8,
    gpus: Annotated[int, Ge(0)] = 0,
    minutes: Annotated[int, Ge(1)] = 240,
) -> Engine:
    """Arrays of jobs of Slurm.

    Args:
        folder: of the run.
        executor: ``local`` runs the jobs as processes of this machine, for trying.
        partition: of the cluster; its own choice where there is none.
        account: that pays.
        jobs: how many run at the same time.
        threads: of torch in each job, and cores that it has.
        memory: of each job, in GB.
        gpus: of each job.
        minutes: after which Slurm ends a job; what it had not finished goes on in another one.

    Raises:
        XaiboardError: submitit is not installed, or there is no Slurm.
    """
    asked: dict[str, Any] = {
        "timeout_min": minutes,
        "cpus_per_task": threads,
        "gpus_per_node": gpus,
        "mem_gb": memory,
        "name": "xaiboard",
        "slurm_array_parallelism": jobs,
    }
    asked |= {
        f"slurm_{name}": value for name, value in (("partition", partition), ("account", account)) if value
    }
    return _Slurm(folder / "records" / "jobs", executor, jobs, threads, asked)


class _Slurm:
    """Files of the jobs, with what they printed, lie in a folder of the run, and the numbers of jobs in a list there.

    Jobs go on where the process that asked for them has died. The one that is started in its place ends them.
    """

    def __init__(self, folder: Path, cluster: str, jobs: int, threads: int, asked: dict[str, Any]) -> None:
        self.slots, self.threads = jobs, threads
        self.room = MOST if cluster == "slurm" else jobs
        try:
            self._library: Any = import_module("submitit")
        except ImportError:
            raise XaiboardError(
                "the engine 'slurm' needs submitit, which is not installed; install it with: pip install"
                " 'xaiboard[slurm]'"
            ) from None
        if cluster == "slurm" and not shutil.which("sbatch"):
            raise XaiboardError(
                "there is no 'sbatch' here, so no Slurm; start the run on a node from which jobs are submitted, or try"
                " it with slurm[executor=local]"
            )
        self._folder, self._list = folder, folder / f"{cluster}.txt"
        self._jobs: list[Any] = []
        self._end_earlier()
        try:
            self._executor = self._library.AutoExecutor(folder=folder, cluster=cluster)
            self._executor.update_parameters(**asked)
        except Exception as error:
            raise XaiboardError(f"submitit does not take these settings of Slurm: {message(error)}") from None

    def submit(self, function: Callable[[Any], Any], arguments: Sequence[Any]) -> list[Job]:
        """All of them are one array."""
        try:
            with self._executor.batch():
                jobs = [self._executor.submit(function, argument) for argument in arguments]
        except Exception as error:
            raise XaiboardError(
                f"Slurm does not take the jobs: {message(error)}; change the settings"
            ) from None
        with self._list.open("a") as file:
            file.writelines(f"{job.job_id}\n" for job in jobs)
        self._jobs += jobs
        return [_SlurmJob(self._library, job) for job in jobs]

    def close(self) -> None:
        """Ends jobs that are not done."""
        for job in self._jobs:
            with suppress(Exception):
                if not job.done():
                    job.cancel(check=False)
        self._list.unlink(missing_ok=True)

    def _end_earlier(self) -> None:
        """Ends the jobs of a process that has died."""
        if not self._list.is_file():
            return
        if self._list.stem == "slurm":
            for number in self._list.read_text().split():
                with suppress(Exception):
                    self._library.SlurmJob(self._folder, number).cancel(check=False)
        self._list.unlink()


class _SlurmJob:
    def __init__(self, library: Any, job: Any) -> None:  # noqa: ANN401
        self._library, self._job = library, job

    def done(self) -> bool:
        """Whether Slurm knows that the job has ended."""
        return self._job.done()

    def result(self) -> Any:  # noqa: ANN401
        """What the function returned."""
        utils = self._library.core.utils
        try:
            return self._job.result()
        except utils.FailedJobError as error:
            raise WorkError(str(error)) from None
        except utils.UncompletedJobError as error:
            raise LostError(
                f"ended without a result, as the files in '{self._job.paths.folder}' say: "
                f"{message(error)[:200]}"
            ) from None
