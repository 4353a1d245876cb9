"""A board of as many scores as one likes, to see what tables of it cost: scores.parquet and cells.csv, no records.

    python tests/performance/boards.py FOLDER --scores 1e8 [--samples 1000] [--methods 30] [--models 10] [--plain]

The scores of a method are those of all methods on a sample, plus what is its own, plus how good it is: so that ranks
have to be found, and are neither clear nor void. One method is the random control. Half of the metrics may be compared
across models, unless ``--plain``: then none is. One column in eight is under a perturbation that changes some
predictions, whose samples have the weight 0. At most one metric column is held at a time.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from xaiboard.benchmark.store.columns import CELLS, SCORES, WORDS

PERTURBATION = "sign_noise[eps=0.1]"
"""The name that every eighth metric column has a perturbation by."""


def write_board(
    folder: Path,
    scores: float,
    *,
    samples: int = 1000,
    methods: int = 30,
    models: int = 10,
    plain: bool = False,
) -> None:
    """Writes a board of about so many scores into a folder."""
    folder.mkdir(parents=True)
    names = ["random", *(f"method{number:03}" for number in range(1, methods))]
    networks = [(f"net{number:02}", ("standard", "ot")[number % 2]) for number in range(models)]
    columns = max(round(scores / (samples * methods * models)), 1)
    cells, writer = [], None
    repeated: Any = [name for name in SCORES if name != "score"]  # the annotation of pyarrow knows no list
    for number in range(columns):
        facts = _facts(number, plain=plain)
        table = pa.concat_tables(_rows(number, facts, names, networks, samples)).unify_dictionaries()
        if writer is None:
            writer = pq.ParquetWriter(
                folder / "scores.parquet", table.schema, compression="zstd",
                use_dictionary=repeated,
            )  # fmt: skip
        writer.write_table(table)
        cells += [
            {
                **dict.fromkeys(CELLS, ""), **facts, "key": f"{facts['metric']}-{model}-{method}", "dataset": "noise",
                "model": model, "family": family, "method": method, "model_version": 1, "method_version": 1,
                "metric_version": 1, "weights": model, "samples": "0", "control": method == "random", "status": "ok",
                "n": samples, "seconds": 0.0, "forward": samples, "backward": 0,
            }
            for model, family in networks
            for method in names
        ]  # fmt: skip
    if writer is not None:
        writer.close()
    pd.DataFrame(cells)[CELLS].sort_values(["model", "method"], kind="stable").to_csv(
        folder / "cells.csv", index=False
    )


def _facts(number: int, *, plain: bool) -> dict[str, str]:
    return {
        "metric": f"metric{number // 4:04}",
        "settings": f"k={number % 4}",
        "perturbation": PERTURBATION if number % 8 == 0 else "",
        "metric_family": ("faithfulness", "stability", "complexity")[number // 4 % 3],
        "higher_is_better": str(number % 3 != 0),
        "across_models": "" if plain or number % 2 else "yes",
    }


def _rows(
    number: int, facts: dict[str, str], names: list[str], networks: list[tuple[str, str]], samples: int
) -> Iterator[pa.Table]:
    """The scores of one metric column, model by model."""
    rows, sample = samples * len(names), np.arange(samples)
    better = -1 if facts["higher_is_better"] == "False" else 1
    for place, (model, family) in enumerate(networks):
        rng = np.random.default_rng((number, place))
        shared = rng.standard_normal((1, samples), np.float32)
        score = shared + rng.standard_normal((len(names), samples), np.float32)
        good = rng.permutation(np.linspace(0, 0.3, len(names), dtype=np.float32))
        good[0] = -1
        held = np.random.default_rng(place).random(samples) > (0.03 if facts["perturbation"] else 0)
        words = {**facts, "dataset": "noise", "model": model, "family": family}
        right = np.random.default_rng(place).random(samples) < 0.97
        values: dict[str, Any] = {
            "sample": np.tile(sample, len(names)),
            "method": pa.DictionaryArray.from_arrays(
                pa.array(np.repeat(np.arange(len(names), dtype=np.int16), samples)), names
            ),
            "score": (score + better * good[:, None]).ravel(),
            "weight": np.tile(held.astype(np.float32), len(names)),
            "target": np.tile(sample % 10, len(names)),
            "label": np.tile(sample % 10, len(names)),
            "correct": np.tile(right, len(names)),
            "seed": np.zeros(rows, np.int64),
            "metric_version": np.ones(rows, np.int64),
            "across_models": np.full(rows, facts["across_models"] != ""),
        }
        same = np.zeros(rows, dtype=np.int16)
        values |= {
            name: pa.DictionaryArray.from_arrays(pa.array(same), [words[name]])
            for name in WORDS
            if name != "method"
        }
        yield pa.table({name: values[name] for name in SCORES})


def main() -> None:
    """Writes a board."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scores", type=float, default=1e7)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--methods", type=int, default=30)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--plain", action="store_true", help="no metric may be compared across models")
    options = vars(parser.parse_args())
    write_board(options.pop("folder"), options.pop("scores"), **options)


if __name__ == "__main__":
    main()
