"""The ranges of the built-in metrics' columns, for folders that were written before they said so themselves.

A generated file has them, since the metrics cannot be asked where there is no torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..toolkit.files import read_json, write_file
from ..toolkit.labels import MetricColumn
from ..toolkit.score_ranges import UNBOUNDED, ScoreRange, range_from_json

FILE = Path(__file__).with_name("builtin_ranges.json")


def builtin_range(column: MetricColumn, version: str | None = None) -> ScoreRange:
    """What a built-in metric declares as the range of a column; no bounds for any other.

    Args:
        column: of the metric.
        version: the only one of the metric that is meant, as identities of records have it; None for whichever.
    """
    kept = _columns().get(str(column))
    if kept is None or version not in (None, str(kept["version"])):
        return UNBOUNDED
    return range_from_json(kept["range"])


def write_builtin_ranges(metrics: Iterable[Mapping[str, Any]]) -> Path:
    """Replaces the generated file by what the metrics declare; returns its path.

    Args:
        metrics: entries of the catalogue, each with its name and its columns.
    """
    declared = {
        str(MetricColumn(metric["name"], column["name"])): {
            "version": metric["version"],
            "range": column["range"],
        }
        for metric in metrics
        for column in metric["columns"]
    }
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(declared[name])}" for name in sorted(declared))
    write_file(FILE, lambda path: path.write_text(f"{{\n{lines}\n}}\n", "utf-8"))
    return FILE


@cache
def _columns() -> dict[str, Any]:
    return read_json(FILE)
