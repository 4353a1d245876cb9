"""What planning costs: a dry run of 20 networks by 30 methods, and a finished run that has nothing left to do.

    python tests/performance/planning.py [--side 28] [--networks 20] [--suite quick]
    python tests/performance/planning.py --squeezenet  # the suite imagenet on one network, found as floor.py says

Prints seconds of CPU. ``examination`` is what a few passes through each network say of it: its outputs, and what
rule-based methods check on it. ``counting`` and ``timing`` are kept in the user's cache: the second plan reads them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import xaiboard.benchmark as xb
from floor import squeezenet
from torch import nn
from xaiboard.benchmark.components import choice
from xaiboard.benchmark.components.suites import read
from xaiboard.benchmark.engine import calibration
from xaiboard.benchmark.engine.staleness import Register
from xaiboard.benchmark.listing.dry_run import describe_plan
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs import planning, running
from xaiboard.benchmark.toolkit import user_cache
from xaiboard.benchmark.toolkit.data import Data

CLASSES = 10


def network(seed: int, side: int) -> nn.Sequential:
    """A convolutional network for images of any side, as small as such networks are."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=max(1, side // 28)), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, CLASSES),
    )  # fmt: skip


def selection(side: int, networks: int, suite: str) -> dict[str, Any]:
    """A board: every method of ``standard``, the metrics of a suite, networks with random weights, random images."""

    @xb.dataset(name="noise")
    def noise(split: str) -> Data:
        images = torch.rand(64, 3, side, side, generator=torch.Generator().manual_seed(len(split)))
        return Data(images, torch.arange(64) % CLASSES, [str(each) for each in range(CLASSES)])

    return {
        "dataset": "noise",
        "models": {f"net{seed:02}": network(seed, side) for seed in range(networks)},
        "methods": str(read("standard")["methods"]),
        "metrics": str(read(suite)["metrics"]),
        "perturbations": "sign_noise",
        "samples": 16,
    }


def imagenet() -> dict[str, Any]:
    """The suite ``imagenet`` on SqueezeNet and crops of 227 x 227."""
    found = squeezenet(8)
    if found is None:
        raise SystemExit("SqueezeNet is not there")

    @xb.dataset(name="crops")
    def crops(split: str) -> Data:
        del split
        return found[1]

    return {"suite": "imagenet", "dataset": "crops", "models": {"squeezenet": found[0].module}, "samples": 8}


class Clock:
    """Seconds of CPU by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def watch(self, place: Any, name: str, part: str) -> None:  # noqa: ANN401 - a module or a class
        """Counts the time of a function for a part."""
        function = getattr(place, name)

        def timed(*given: Any, **named: Any) -> Any:  # noqa: ANN401
            return self.time(part, lambda: function(*given, **named))

        setattr(place, name, timed)

    def time(self, part: str, act: Callable[[], Any]) -> Any:  # noqa: ANN401
        """What ``act`` returns; its time counts for a part, and for no part around it."""
        start, inner = time.process_time(), sum(self.seconds.values())
        try:
            return act()
        finally:
            spent = time.process_time() - start - (sum(self.seconds.values()) - inner)
            self.seconds[part] = self.seconds.get(part, 0.0) + spent


def dry_run(words: dict[str, Any], clock: Clock) -> str:
    """What ``--dry-run`` does and prints."""
    request = read_request(**words)
    plan = planning.make_plan(request)
    finished = planning.finished_cells(plan, request)
    return describe_plan(plan, finished, planning.promise_of(plan, finished, request))


def main() -> None:
    """Plans twice, and prints a row for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--suite", default="quick", help="whose metrics are planned")
    parser.add_argument("--squeezenet", action="store_true", help="plan the suite imagenet in place of this")
    given = parser.parse_args()
    clock = Clock()
    clock.watch(planning, "examined", "examination")
    clock.watch(Register, "network", "examination")
    clock.watch(choice.Choice, "reason_on", "examination")
    clock.watch(planning, "probe", "counting")
    clock.watch(calibration, "measure", "timing")
    with tempfile.TemporaryDirectory() as folder:
        user_cache.notes_folder = lambda: Path(folder)
        board = imagenet() if given.squeezenet else selection(given.side, given.networks, given.suite)
        words = {**board, "out": Path(folder) / "run"}
        print(
            "| plan | cells | examination, s | counting | timing | the rest |\n| --- | --- | --- | --- | --- | --- |"
        )
        for which in ("first", "again"):
            clock.seconds.clear()
            said = clock.time("rest", lambda: dry_run(words, clock))
            cells = said.partition(" cells to compute")[0].split()[-1]
            parts = (clock.seconds.get(part, 0.0) for part in ("examination", "counting", "timing", "rest"))
            print(f"| {which} | {cells} | " + " | ".join(f"{seconds:.1f}" for seconds in parts) + " |")
        print(said.splitlines()[-1])
        if given.squeezenet:
            return
        request = read_request("quick", samples=8, out=Path(folder) / "quick")
        seconds = [timed(lambda: running.run_request(request, progress=False)) for _ in range(2)]
    print("quick on 8 images: {:.1f} s, and {:.1f} s again, when nothing is left to do".format(*seconds))


def timed(act: Callable[[], Any]) -> float:
    """Seconds of CPU."""
    start = time.process_time()
    act()
    return time.process_time() - start


if __name__ == "__main__":
    main()
