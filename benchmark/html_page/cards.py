"""Model cards: what is known of each network, from the run, the catalogue and the card beside its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ..listing.catalogue import read_catalogue
from ..report.blocks import Blocks
from ..report.results import Results
from ..toolkit.files import file_name, read_json
from ..toolkit.labels import read_trained

_OF_CARD = (
    "architecture",
    "dataset",
    "accuracy",
    "attacked_accuracy",
    "epochs",
    "seed",
    "recipe",
    "lipschitz",
)

_WEIGHTS = Path(__file__).parents[2] / "models" / "weights"
"""Where shipped weights lie, with their cards."""


def cards(results: Results) -> list[dict[str, Any]]:
    """One card for each data set and model, in the order of ``models.csv``."""
    known = {one["name"]: one for one in read_catalogue()["models"]}
    right = _right(results.blocks)
    found = []
    for record in results.models.to_dict("records"):
        row = {str(name): value for name, value in record.items()}
        name, weights = str(row["model"]), str(row["weights"] or "")
        recipe = read_trained(name).recipe
        entry = known.get(recipe, known.get(name, {}))
        correct, samples = right.get((str(row["dataset"]), name), (0, 0))
        found.append(
            {
                "dataset": row["dataset"],
                "model": name,
                "family": row["family"],
                "recipe": recipe if recipe != name else "",
                "right": correct,
                "samples": samples,
                "weights": weights,
                "summary": entry.get("summary", "").replace("``", ""),
                "source": entry.get("source", ""),
                "note": row["note"],
                "numbers": _numbers(row),
                "training": _training(name, str(row["dataset"]), weights)
                if row["family"] == entry.get("family")
                else [],
            }
        )
    return found


def _right(blocks: Blocks) -> dict[tuple[str, str], tuple[int, int]]:
    """How many samples each model of a data set classifies correctly, and of how many that is known."""
    first = blocks.rows.drop_duplicates(["dataset", "model"])[["dataset", "model"]]
    correct = [blocks.of("correct", place).astype(bool) for place in first.index]
    pairs = first.itertuples(index=False, name=None)
    return dict(zip(pairs, ((int(one.sum()), len(one)) for one in correct), strict=True))


def _numbers(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The means of the metrics of the model itself, with their intervals."""
    means = [name for name in row if f"{name}:ci_low" in row and not pd.isna(row[name])]
    return [
        {"name": name, "mean": row[name], "low": row[f"{name}:ci_low"], "high": row[f"{name}:ci_high"]}
        for name in means
    ]


def _training(model: str, dataset: str, weights: str) -> list[list[str]]:
    """What the card of the weights shipped under that name says of their training; nothing where there is none."""
    card = _WEIGHTS / f"{file_name(model)}@{file_name(dataset)}.json"
    if not weights or not card.is_file():
        return []
    said = read_json(card)
    return [[name, _words(said[name])] for name in _OF_CARD if said.get(name) not in (None, "", {})]


def _words(value: Any) -> str:  # noqa: ANN401 - whatever a card holds
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items())
    return str(value)
