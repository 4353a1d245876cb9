"""What a maintainer needs to know of the methods that a run would add to published results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ...store.columns import LABEL
from ...store.records import Store
from ...store.seal import digest_of
from ...toolkit.text_table import table_of
from ..results import Results
from .check import PLACE, new_methods


def describe(mine: Results, published: Results, plugins: Sequence[Path]) -> str:
    """The new methods with source, versions and rows, and the digests of the plug-ins' files.

    Args:
        mine: the run of the submission.
        published: the results that it would be added to.
        plugins: files that register the methods.
    """
    rows = [_row(method, mine, published) for method in new_methods(mine, published)]
    files = [f"{path.name}: sha256 {digest_of(path)}\n" for path in plugins]
    return f"{mine.folder} for {published.folder}\n{table_of(rows)}{''.join(files)}"


def _row(method: str, mine: Results, published: Results) -> dict[str, object]:
    cells = mine.cells[mine.cells["method"] == method]
    judged = published.cells.loc[published.cells["method"] != "", PLACE].drop_duplicates()
    added = cells.merge(judged, on=PLACE)
    label = mine.glossary.methods[method]
    return {
        "method": method,
        "source": mine.glossary.sources.get("methods", {}).get(label.name, ""),
        "version": ", ".join(sorted(set(cells["method_version"]))),
        "cells": len(added),
        "rows": _rows(method, mine, judged),
        "inapplicable": int((added["status"] == "inapplicable").sum()),
        "minutes": f"{added['seconds'].sum() / 60:.1f}",
        **_provenance(added["key"].tolist(), mine.folder),
    }


def _rows(method: str, mine: Results, judged: pd.DataFrame) -> int:
    """How many rows with scores ``leaderboard.csv`` would gain: one for each column of each cell."""
    own = mine.scores.loc[mine.scores["method"] == method, LABEL].astype(str).drop_duplicates()
    own["metric"] = [mine.glossary.columns[text].metric for text in own["metric"]]
    return len(own.merge(judged, on=PLACE))


def _provenance(keys: Sequence[str], folder: Path) -> dict[str, object]:
    """Code and machine of the first cell that has a record; inapplicable ones have none."""
    store = Store(folder)
    for key in keys:
        if store.has(key, 0):
            known, _ = store.provenance(key, 0)
            code = ", ".join(f"{name} {digest}" for name, digest in known.get("code", {}).items())
            return {
                "code": code,
                **{name: known.get(name, "") for name in ("torch", "python", "device", "created")},
            }
    return {}
