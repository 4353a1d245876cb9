"""What a few samples of a large image folder cost: ``python tests/performance/image_folders.py [IMAGES]``.

Makes a folder of small JPEG files, 50,000 unless told otherwise, and prints seconds and peak memory of processes that
load 8 samples of it, plan a run on 8 samples, and run the first 64 and 512 of them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

CLASSES, SIDE = 10, 224

PLUGIN = """
from torch import nn
from xaiboard.benchmark import model

@model(family="standard")
def strided(shape, classes):
    layers = nn.Conv2d(3, 8, 7, 8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, classes)
    return nn.Sequential(*layers)
"""

MEASURED = """
import resource, sys, time
start = time.perf_counter()
import xaiboard.benchmark as xb, torch
from xaiboard.benchmark.cli import commands
imported = time.perf_counter()
{code}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"MEASURED {{imported - start:.1f}} {{time.perf_counter() - imported:.1f}} {{peak:.0f}}")
"""


def make_folder(root: Path, images: int) -> None:
    """Coarse noise, so that each file has a few kilobytes; half as many training images as test images."""
    rng = np.random.Generator(np.random.Philox(0))
    for split, count in (("test", images), ("train", images // 2)):
        for number in range(CLASSES):
            (root / split / f"class{number}").mkdir(parents=True)
        for number in range(count):
            coarse = Image.fromarray(rng.integers(0, 256, (7, 7, 3), dtype=np.uint8))
            file = root / split / f"class{number % CLASSES}" / f"{number:06}.jpg"
            coarse.resize((SIDE, SIDE)).save(file, quality=50)


def measure(what: str, code: str) -> None:
    """Prints a row: seconds for imports, seconds and peak memory of a process that runs ``code`` after them."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.format(code=code)], capture_output=True, text=True, check=False
    )
    numbers = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("MEASURED")]
    if not numbers:
        raise SystemExit(done.stderr)
    imports, seconds, peak = numbers[0]
    print(f"| {what} | {imports} | {seconds} | {peak} |", flush=True)


def main(images: int) -> None:
    """Makes the folder and measures each use of it in a process of its own."""
    with TemporaryDirectory() as temporary:
        folder, plugin = Path(temporary, "photographs"), Path(temporary, "strided.py")
        make_folder(folder, images)
        plugin.write_text(PLUGIN)
        name = f"image-folder:{folder}"
        print(f"{images} test images of {SIDE} x {SIDE} pixels\n")
        print("| what | imports, s | then, s | peak, MiB |")
        print("| --- | --- | --- | --- |")
        measure("load 8 samples", f"xb.load_data({name!r}, samples=8)")
        board = f"run --plugin {plugin} --models strided --dataset {name} --methods saliency".split()

        def measure_run(what: str, *words: str) -> None:
            command = [*board, *words, "--out", f"{temporary}/{what}"]
            measure(what, f"commands.main({command!r}, standalone_mode=False)")

        for baseline in ("zero", "mean"):
            metrics = f"deletion[steps=7,baseline={baseline}]"
            measure_run(
                f"plan 8 samples, baseline {baseline}", "--samples", "8", "--metrics", metrics, "--dry-run"
            )
        for samples in (64, 512):
            measure_run(f"run {samples} samples", "--samples", str(samples), "--metrics", "gini,accuracy")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
