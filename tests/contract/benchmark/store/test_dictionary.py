"""The dictionary has every column of every file of a run: of one in which as many kinds of files arise as can."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pandas as pd
import pyarrow.parquet as pq
import torch
from helpers import Runner
from torch import Tensor
from xaiboard.benchmark.report.comparison.ask import ask, read_question
from xaiboard.benchmark.report.comparison.write import write_comparison
from xaiboard.benchmark.store.dictionary import read_dictionary, unknown_columns

COLUMNS = {
    ".csv": lambda path: list(pd.read_csv(path, nrows=0).columns),
    ".parquet": lambda path: pq.read_schema(path).names,
    ".json": lambda path: list(json.loads(path.read_text("utf-8"))),
}
"""What has columns, or keys."""


def broken(x: Tensor) -> Tensor:
    """Raises."""
    raise ValueError(f"broken on {len(x)} images")


def brightness(x: Tensor) -> Tensor:
    """The image."""
    return torch.clone(x)


def test_every_column_of_every_file_is_in_the_dictionary(run: Runner) -> None:
    earlier = run(
        methods=[brightness, "saliency", "random"], metrics="deletion[steps=4,orders=2],gini,accuracy"
    )
    finished = run(
        methods=[brightness, broken, "saliency", "random", "blurred"],
        metrics="deletion[steps=4,orders=2],gini,topk_intersection[k=3],accuracy,certified_accuracy",
        reuse=earlier.folder,
        out=earlier.folder.with_name("second"),
    )
    write_comparison(ask(finished.folder, None, read_question(method="saliency")), finished.folder)
    known, seen = read_dictionary(), set()
    said = json.loads((finished.folder / "columns.json").read_text("utf-8"))["files"]
    assert said == {name: {"row": of["row"], "columns": of["columns"]} for name, of in known.items()}
    for path in sorted(finished.folder.rglob("*")):
        if path.suffix not in COLUMNS:
            continue
        name = path.relative_to(finished.folder).as_posix()
        entry = next((pattern for pattern in known if fnmatchcase(name, pattern)), "")
        assert entry, f"the dictionary lacks {name}"
        assert unknown_columns(entry, COLUMNS[path.suffix](path)) == [], name
        seen.add(entry)
    assert seen >= {
        "cells.csv", "scores.parquet", "leaderboard.csv", "compare.csv", "curves.csv", "run.json", "columns.json",
        "croissant.json", "robustness.csv", "records/*.parquet", "records/plan-*.json", "records/*.failed.json",
        "records/taken-over.json",
    }  # fmt: skip


def test_a_column_that_is_not_in_the_dictionary_is_named() -> None:
    assert unknown_columns("models.csv", ["model", "lipschitz", "lipschitz:max"]) == []
    assert unknown_columns("cells.csv", ["key", "mood"]) == ["mood"]
    assert unknown_columns("nothing.csv", ["key"]) == ["key"]
