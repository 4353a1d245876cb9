"""Which rows make up the tables of a folder: those of its plans, and those that only earlier tables know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ..toolkit.labels import read_label
from .columns import LABEL

Row = dict[Any, Any]
"""A row of ``cells.csv``."""

Planned = tuple[Row, dict[str, Any] | None]
"""A row, and the plan that it comes from; None for a row that only the tables know."""

_VERSIONS = [
    ("dataset", "samples"), ("dataset", "reference"), ("model", "family"), ("model", "model_version"),
    ("model", "weights"), ("method", "method_version"),
    ("metric", "metric_version"), ("perturbation", "perturbation_version"),
]  # fmt: skip
"""Columns that name a part of a cell, each with a column that holds a version of it."""


def label_of(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """What names the row of a leaderboard that a cell belongs to."""
    return tuple(str(row[name]) for name in LABEL)


def merge(before: pd.DataFrame, plans: list[dict[str, Any]]) -> list[Planned]:
    """The rows that make up the tables, in the order of their labels.

    Args:
        before: ``cells.csv`` as it was, or no rows.
        plans: what ran in the folder, the oldest first; of rows with the same label the newest counts.
    """
    rows: dict[tuple[str, ...], Planned] = {label_of(row): (row, None) for row in before.to_dict("records")}
    for plan in plans:
        for row in plan["cells"]:
            rows.pop(label_of(row), None)  # so that the newest comes last
            rows[label_of(row)] = (row, plan)
    return sorted(_newest_versions(list(rows.values())), key=lambda item: label_of(item[0]))


def _newest_versions(rows: list[Planned]) -> list[Planned]:
    """Drops rows whose samples, weights or component versions a later row has superseded."""
    newest = {
        _part(row, name, version): str(row[version])
        for row, _ in rows
        for name, version in _VERSIONS
        if row[version] != ""
    }
    return [
        (row, plan)
        for row, plan in rows
        if all(
            str(row[version]) in ("", newest.get(_part(row, name, version))) for name, version in _VERSIONS
        )
    ]


def _part(row: Row, name: str, version: str) -> tuple[str, ...]:
    """What has a version: a component, whatever its settings."""
    text = str(row[name])
    component = text if name in ("dataset", "model") else read_label(text).name  # these two have no settings
    return row["dataset"], name, component, version


def joined(tables: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """One table below the other; those without rows have no types, and are left out."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled) if filled else pd.DataFrame(columns=columns)
