"""The models of a run: accuracy, certificates and bounds, a row each."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd

from ..store.glossary import Glossary
from .blocks import Blocks
from .column_names import short_names
from .standing import Standing


def describe_models(
    cells: pd.DataFrame, blocks: Blocks, standings: list[Standing], glossary: Glossary
) -> pd.DataFrame:
    """One row a model: the means of the metrics of models, with intervals.

    Plain scores without a direction, as a gradient's norm, have their largest value too. Named columns have none: in
    some of them a sample's value is its contribution to the mean (of a percentile), and the largest says nothing.
    """
    names = model_columns(blocks, glossary)
    rows: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for one in standings:
        for position, place in enumerate(one.places):
            if place not in names.index:
                continue
            name, column, row = names[place], blocks.facts(place), rows[one.key[0], one.key[1]]
            row["n"] = one.samples
            row |= {
                name: one.mean[position], f"{name}:ci_low": one.low[position], f"{name}:ci_high": one.high[position],
            }  # fmt: skip
            if not column["higher_is_better"] and glossary.is_plain(column["metric"]):
                row[f"{name}:max"] = blocks.of("score", place).max()
    known = cells[["dataset", "model", "family", "weights"]].drop_duplicates()
    table = known.sort_values(["dataset", "family", "model"]).set_index(["dataset", "model"])
    if rows:
        numbers = pd.DataFrame(
            list(rows.values()), index=pd.MultiIndex.from_tuples(rows, names=["dataset", "model"])
        )
        parts = [
            f"{name}{part}" for name in sorted(set(names)) for part in ("", ":ci_low", ":ci_high", ":max")
        ]
        table = table.join(numbers[["n", *(name for name in parts if name in numbers)]]).astype(
            {"n": "Int64"}
        )
    reasons = cells[(cells["method"] == "") & (cells["status"] != "ok")]
    reasons = reasons.drop_duplicates(["dataset", "model", "metric", "note"])
    notes = (
        (reasons["metric"] + ": " + reasons["note"])
        .groupby([reasons["dataset"], reasons["model"]])
        .agg("; ".join)
    )
    table["note"] = notes.reindex(table.index).fillna("")
    return table.reset_index()


def model_columns(blocks: Blocks, glossary: Glossary) -> pd.Series:
    """The name in ``models.csv`` of each block of models that is shown there, by its place."""
    return short_names(blocks.rows.loc[_without_repeats(blocks)], glossary)


def _without_repeats(blocks: Blocks) -> list[int]:
    """The places of the blocks of models, but one copy only of a column that is the same under all settings.

    A certified radius is the same whatever radius the accuracy beside it was asked for.
    """
    own = blocks.rows[blocks.rows["method"] == ""]
    kept: list[int] = []
    for _, column in own.groupby("metric", sort=False):
        under = [group for _, group in column.groupby(["settings", "perturbation"])]
        same = all(_equal(blocks, under[0], other) for other in under[1:])
        kept.extend((under[0] if same else column).index)
    return sorted(kept)


def _equal(blocks: Blocks, one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether the blocks under two settings are of the same models, and have the same scores."""
    models = [list(zip(table["dataset"], table["model"], strict=True)) for table in (one, other)]
    return models[0] == models[1] and all(
        np.array_equal(blocks.of("score", a), blocks.of("score", b))
        for a, b in zip(one.index, other.index, strict=True)
    )
