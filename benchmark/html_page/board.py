"""The rows of the leaderboard, and the cells behind them, column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..report.blocks import COLUMN
from ..report.results import Results
from .names import Names, codes

_STATES = ["ok", "failed", "inapplicable", "missing"]


def board(results: Results, names: Names) -> dict[str, Any]:
    """Means with intervals and ranks of all rows that have scores.

    A rank of 0 stands for none. ``flag`` is 1 for a row in the set of the best, plus 2 where its rank is to be read
    with its note.
    """
    table = results.leaderboard
    table = table[table["status"].astype(str) == "ok"]
    notes, note = _texts(table["note"])
    keys = table[["dataset", "model", "method", *COLUMN]].astype(str).itertuples(index=False, name=None)
    doubt = np.array([key in results.doubtful for key in keys], dtype=bool)
    ranks = {
        name: table[name].astype("Int64").fillna(0).to_numpy("i2")
        for name in ("rank", "rank_low", "rank_high")
    }
    return {
        **_names(table, names),
        "column": np.array(
            [names.column_at[key] for key in table[COLUMN].astype(str).itertuples(index=False, name=None)],
            "i2",
        ),
        **{name: table[name].to_numpy("f4") for name in ("mean", "ci_low", "ci_high")},
        "n": table["n"].astype("Int64").fillna(0).to_numpy("i4"),
        **ranks,
        "flag": (table["best"].astype("boolean").fillna(False).to_numpy("u1") + 2 * doubt).astype("u1"),
        "notes": notes,
        "note": note,
    }


def cells(results: Results, names: Names) -> dict[str, Any]:
    """What became of each cell: its status and note, how long it took, how many passes."""
    table = results.cells
    metrics, metric = _texts(table["metric"])
    settings, setting = _texts(table["settings"])
    perturbations, perturbation = _texts(table["perturbation"])
    notes, note = _texts(table["note"])
    numbers = table[["n", "seconds", "forward", "backward"]].apply(pd.to_numeric, errors="coerce")
    return {
        **_names(table, names),
        "metrics": metrics,
        "metric": metric,
        "settings": settings,
        "setting": setting,
        "perturbations": perturbations,
        "perturbation": perturbation,
        "notes": notes,
        "note": note,
        "states": _STATES,
        "status": np.array([_STATES.index(word) for word in table["status"].astype(str)], "u1"),
        **{str(name): numbers[name].fillna(-1).to_numpy("f4") for name in numbers},
    }


def _names(table: pd.DataFrame, names: Names) -> dict[str, np.ndarray]:
    return {
        "dataset": np.array(codes(table["dataset"], names.dataset_at), "i2"),
        "model": np.array(codes(table["model"], names.model_at), "i2"),
        "method": np.array(codes(table["method"], names.method_at), "i2"),
    }


def _texts(column: pd.Series) -> tuple[list[str], np.ndarray]:
    """Different texts, and where each row's stands among them."""
    code, texts = pd.factorize(column.fillna("").astype(str))
    return list(texts), code.astype("i2" if len(texts) < 2**15 else "i4")
