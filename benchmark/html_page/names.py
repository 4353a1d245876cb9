"""The names on the page, each once: data sets, models, methods, metric columns; other parts refer to them by place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from ..listing.catalogue import read_catalogue
from ..report.blocks import COLUMN
from ..report.column_names import short_names
from ..report.drawing.palette import colours
from ..report.results import Results

Key = tuple[str, str, str]
"""Metric, settings and perturbation, which name a column."""


class Names:
    """Where each name stands in the lists of the page.

    Args:
        results: of a run.
    """

    def __init__(self, results: Results) -> None:
        cells = results.cells  # first, since a folder without them is no run
        rows = results.blocks.rows
        self.datasets = results.datasets
        self.models = sorted(set(cells["model"].astype(str)))
        self.methods = sorted(set(cells["method"].astype(str)) - {""})
        keys = rows[COLUMN].astype(str).drop_duplicates()
        self.columns: list[Key] = list(keys.itertuples(index=False, name=None))
        self.short = list(short_names(keys, results.glossary))
        self._facts = rows.drop_duplicates(COLUMN)
        self._results = results
        self.dataset_at, self.model_at, self.method_at = map(
            _places, (self.datasets, self.models, self.methods)
        )
        self.method_at[""] = -1
        self.column_at = {key: place for place, key in enumerate(self.columns)}

    def describe(self) -> dict[str, Any]:
        """The lists, with what is known of each name."""
        known = {kind: {one["name"]: one for one in entries} for kind, entries in read_catalogue().items()}
        glossary, controls = self._results.glossary, self._results.controls
        family = dict(self._results.cells[["model", "family"]].astype(str).drop_duplicates().to_numpy())
        colour = colours(self.methods, controls)
        return {
            "datasets": self.datasets,
            "models": [{"name": name, "family": family[name]} for name in self.models],
            "methods": [
                {
                    "name": name,
                    "control": name in controls,
                    "colour": colour[name],
                    **_said(known["methods"].get(glossary.methods[name].name)),
                }
                for name in self.methods
            ],
            "columns": [
                self._column(key, short, known["metrics"])
                for key, short in zip(self.columns, self.short, strict=True)
            ],
        }

    def _column(self, key: Key, short: str, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
        facts = self._facts.iloc[self.column_at[key]]
        column = self._results.glossary.columns[key[0]]
        metric = known.get(column.metric, {})
        meaning = next(
            (one["meaning"] for one in metric.get("columns", []) if one["name"] == column.name), ""
        )
        return {
            "name": short,
            "metric": column.metric,
            "settings": key[1],
            "perturbation": key[2],
            "family": facts["metric_family"],
            "direction": {"True": 1, "False": -1}.get(facts["higher_is_better"], 0),
            "across": bool(facts["across_models"]),
            "meaning": meaning.replace("``", ""),
            "source": metric.get("source", ""),
        }


def _said(entry: dict[str, Any] | None) -> dict[str, str]:
    """What the catalogue says of a component; nothing of one that is not built in."""
    entry = entry or {}
    return {"summary": entry.get("summary", "").replace("``", ""), "source": entry.get("source", "")}


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def codes(column: pd.Series, places: dict[str, int]) -> list[int]:
    """The place of each name of a column."""
    return [places[name] for name in column.astype(str)]
