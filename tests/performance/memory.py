"""Peak memory of runs of SqueezeNet on images of 227 x 227: it does not grow with the number of samples.

    python tests/performance/memory.py [--samples 4,16,64] [--perturbations sign_noise,topk_attack[steps=1]]

Prints MiB. Each run is a process of its own, with the methods and metrics of the suite ``imagenet``, but few passes of
each: how many there are does not matter for memory. ``--suite imagenet`` takes them as they are, half a minute an
image. The images are PNG files, so that they take no memory before they are read. ``cells`` is the peak while cells are
computed, after the network was examined. SqueezeNet is found as ``floor.py`` says.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch
import xaiboard.benchmark as xb
from floor import squeezenet
from PIL import Image
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.runs import running

METHODS = (
    "saliency,integrated_gradients[steps=2],smoothgrad[draws=2],gradcam,occlusion[window=114,stride=114],random"
    ",sobel"
)
METRICS = (
    "deletion.patch_correlation[patch=114,steps=2,orders=1],insertion.normalised[patch=114,steps=2,orders=1],"
    "mu_fidelity[draws=4],topk_intersection,lens_recall,gini,jpeg_size,accuracy"
)


def peak() -> float:
    """The most memory of this process since the last reset, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def reset() -> None:
    """Lets :func:`peak` begin anew; Linux knows how."""
    Path("/proc/self/clear_refs").write_text("5")


def run(folder: Path, samples: int, words: dict[str, Any]) -> tuple[float, float]:
    """Peak of a run, its planning, tables and pictures included, and peak while its cells are computed."""
    found = squeezenet(samples)
    if found is None:
        raise SystemExit("SqueezeNet is not there")
    trained, data = found
    images = folder / "photographs" / "test" / "class0"
    images.mkdir(parents=True)
    (folder / "photographs" / "classes.json").write_text(
        json.dumps([f"class{number}" for number in range(1000)])
    )
    for number, x in enumerate(data.x):
        pixels = (x * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(images / f"{number:04}.png")
    del found, data
    execute, peaks = running.execute, []

    def watched(*given: Any, **named: Any) -> None:  # noqa: ANN401
        peaks.append(peak())
        reset()
        execute(*given, **named)
        peaks.append(peak())

    running.execute = watched
    xb.run(
        dataset=f"image-folder:{folder / 'photographs'}", models={"squeezenet": trained.module}, samples=samples,
        out=folder / "run", progress=False, **words,
    )  # fmt: skip
    return max(*peaks, peak()), peaks[1]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--samples", default="4,16,64")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--metrics", default=METRICS)
    parser.add_argument("--perturbations", default="sign_noise")
    parser.add_argument("--suite", default="")
    parser.add_argument(
        "--alone", action="store_true", help="in this process, with the first number of samples"
    )
    options = parser.parse_args()
    numbers = [int(each) for each in options.samples.split(",")]
    torch.set_num_threads(1)
    if options.alone:
        few = {kind: vars(options)[kind] for kind in ("methods", "metrics", "perturbations")}
        with TemporaryDirectory() as folder:
            print(*run(Path(folder), numbers[0], {"suite": options.suite} if options.suite else few))
        return
    rows = []
    for samples in numbers:
        start = time.monotonic()
        command = [sys.executable, __file__, *sys.argv[1:], "--samples", str(samples), "--alone"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        whole, cells = (round(float(each)) for each in said.split()[-2:])
        rows.append({"samples": samples, "run": whole, "cells": cells, "s": round(time.monotonic() - start)})
        print(rows[-1], file=sys.stderr, flush=True)
    print(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
