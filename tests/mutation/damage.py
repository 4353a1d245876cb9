"""Damages files of a run at random, and checks that each damage is found or makes no difference.

Run it by hand: ``python tests/mutation/damage.py [NUMBER OF DAMAGES] [SEED]``. A damage flips bits of one file, cuts
it, or overwrites a part of it. If a reader returns other data without a word, or raises anything but a sentence for the
user, it is printed, and the exit status is 1.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.errors import XaiboardError, XaiboardWarning
from xaiboard.benchmark.report.publish import publish
from xaiboard.benchmark.store.columns_file import read_columns
from xaiboard.benchmark.store.known_outputs import recorded_outputs
from xaiboard.benchmark.store.made import FILE as MADE
from xaiboard.benchmark.store.maps import read_images, read_maps
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.run_file import read_run
from xaiboard.benchmark.store.seal import check_sealed
from xaiboard.benchmark.store.sealed_json import read_sealed
from xaiboard.benchmark.store.tables import read_cells, read_curves, read_scores

Reader = Callable[[], object]


def make_run(folder: Path, model: nn.Module, dataset: str = "digits") -> Path:
    """A small run with a file of every kind, and a published copy of it beside it; the folder of both."""

    def broken(x: Tensor) -> Tensor:
        raise ValueError("broken")

    words: dict[str, Any] = {"dataset": dataset, "models": {"net": model}, "samples": 8, "progress": False}
    first = xb.run(
        methods="saliency,random", metrics="gini,deletion[steps=4,orders=2]", out=folder / "first", **words
    )
    publish(first.folder, folder / "copy")
    again = xb.run(
        methods=["saliency", "sobel", broken], metrics="gini,deletion[steps=4,orders=2],accuracy",
        out=folder / "run", reuse=folder / "copy", **words,
    )  # fmt: skip
    Store(again.folder).note_renewed_code({"0" * 16: "1" * 16})
    return folder


def readers(folder: Path) -> Iterator[tuple[Path, Reader]]:
    """Every file of a run and of a published copy, each with what reads it."""
    run, copy = folder / "run", folder / "copy"
    for path in sorted((run / "records").iterdir()):
        if not path.name.startswith("."):
            yield path, _reader_of_record(Store(run), path)
    tables: Mapping[str, Callable[[Path], object]] = {
        "run.json": read_run, "cells.csv": read_cells, "scores.parquet": read_scores, "curves.csv": read_curves,
        "columns.json": read_columns, "maps.parquet": read_maps, "images.parquet": read_images,
    }  # fmt: skip
    for where in (run, copy):
        for path in sorted(where.iterdir()):
            if path.is_file():
                read = tables.get(path.name, lambda where, name=path.name: check_sealed(where, name))
                yield path, lambda read=read, where=where: read(where)


def _reader_of_record(store: Store, path: Path) -> Reader:
    key = path.name.split(".")[0].rpartition("-")[0]
    if path.suffix == ".parquet":
        return lambda: store.read(key, 0)
    if path.name.endswith(".failed.json"):
        return lambda: store.failure(key)
    if path.name.startswith("plan-"):
        return store.plans
    if path.name.startswith("outputs-"):
        return lambda: recorded_outputs(store.folder)
    if path.name == MADE:  # whose damage makes the files of the run be made again
        return lambda: read_sealed(path, store.folder)
    return lambda: getattr(store, path.stem.replace("-", "_"))


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with flipped bits, cut, or partly overwritten."""
    bad, kind = bytearray(content), chance.choice(["flip", "flip", "flips", "cut", "zeros", "noise"])
    at = chance.randrange(len(bad))
    if kind.startswith("flip"):
        for _ in range(1 if kind == "flip" else chance.randrange(2, 9)):
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del bad[at:]
    else:
        end = min(len(bad), at + chance.randrange(1, 65))
        bad[at:end] = bytes(end - at) if kind == "zeros" else chance.randbytes(end - at)
    return bytes(bad)


def judge(read: Reader, good: object) -> str:
    """What a reader makes of a damage: ``found``, ``same``, or what must not be."""
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            value = read()
    except XaiboardError as error:
        return "found" if "\n" not in str(error) else f"more than a line: {error}"
    except Exception as error:
        return f"raw {type(error).__name__}: {error}"
    if any(issubclass(warning.category, XaiboardWarning) for warning in said):
        return "found"
    if same(value, good):
        return "same"
    return "found" if isinstance(value, str | list) and "damaged" in str(value) else "read as other data"


def same(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values that readers return are equal, number by number."""
    if isinstance(one, pd.DataFrame):
        return one.equals(other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return same(vars(one), vars(other)) if hasattr(one, "__dataclass_fields__") else one == other


def damage(folder: Path, number: int, seed: int) -> Counter[str]:
    """Damages so many files, one at a time and each file about as often; how often each judgement was made."""
    chance, counts = random.Random(seed), Counter()
    files = list(readers(folder))
    good = [read() for _, read in files]
    for count in range(number):
        index = count % len(files)
        path, read = files[index]
        content = path.read_bytes()
        bad = damaged(content, chance)
        path.write_bytes(bad)
        judgement = judge(read, good[index]) if bad != content else "same"
        path.write_bytes(content)
        counts[judgement if judgement in ("found", "same") else f"{path.name}: {judgement}"] += 1
    return counts


if __name__ == "__main__":
    number, seed = (
        int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((1, 100_000), (2, 0))
    )
    with tempfile.TemporaryDirectory() as name:
        start = make_run(Path(name), nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).eval())
        begin = time.time()
        found = damage(start, number, seed)
        print(f"{sum(found.values())} damages in {time.time() - begin:.0f} s: {dict(found)}")
    sys.exit(bool(found.keys() - {"found", "same"}))
