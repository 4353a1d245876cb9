"""Peak memory of a run of SqueezeNet on images of 227 x 227, with few and with more samples: it should hardly grow.

Run it by hand: ``python tests/performance/memory.py [--samples 4,16]``. Each run is a process of its own. SqueezeNet is
found as ``floor.py`` says. The memory of a run holds torch, the network, a batch of activations, and the images of a
shard with the maps of one method.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import pandas as pd
import torch
import xaiboard.benchmark as xb
from floor import squeezenet
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.toolkit.data import Data

METHODS = "saliency,gradcam,integrated_gradients[steps=2],smoothgrad[draws=2],rise[draws=4],random"
METRICS = (
    "deletion[patch=114,steps=2,orders=1],insertion[patch=114,steps=2,orders=1],max_sensitivity[draws=1],gini"
    ",lens_recall"
)
PERTURBATIONS = "sign_noise,topk_attack[steps=1]"
"""Few passes of each kind: how many there are does not matter for memory. The attack differentiates twice."""


def peak(samples: int) -> float:
    """Peak of this process in MiB after a run with so many samples, its planning, tables and pictures included."""
    found = squeezenet(samples)
    if found is None:
        raise SystemExit("SqueezeNet is not there")
    trained, data = found

    @xb.dataset()
    def crops(split: Literal["train", "test"]) -> Data:
        """Crops of two photographs."""
        del split
        return data

    with tempfile.TemporaryDirectory() as folder:
        xb.run(
            dataset="crops", models={"squeezenet": trained.module}, methods=METHODS, metrics=METRICS,
            perturbations=PERTURBATIONS, samples=samples, out=Path(folder) / "run", progress=False,
        )  # fmt: skip
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--samples", default="4,16")
    parser.add_argument(
        "--alone", action="store_true", help="in this process, with the first number of samples"
    )
    options = parser.parse_args()
    numbers = [int(each) for each in options.samples.split(",")]
    torch.set_num_threads(1)
    if options.alone:
        print(peak(numbers[0]))
        return
    rows = []
    for samples in numbers:
        start = time.monotonic()
        command = [sys.executable, __file__, "--samples", str(samples), "--alone"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows.append(
            {
                "samples": samples,
                "peak MiB": round(float(said.split()[-1])),
                "s": round(time.monotonic() - start),
            }
        )
        print(rows[-1], file=sys.stderr, flush=True)
    print(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
