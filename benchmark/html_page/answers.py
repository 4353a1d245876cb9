"""The answer of a run in a few sentences, each computed from its tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..report.health.controls import passes_controls
from ..report.results import Results
from .names import Names

_NAMED = 3
"""So many names are said, the others are counted."""


def answers(results: Results, names: Names, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each data set: who leads, who is in the set of the best, which columns fail, what is not told apart."""
    found = []
    for place, dataset in enumerate(names.datasets):
        health = results.health[results.health["dataset"] == dataset]
        table = results.leaderboard[results.leaderboard["dataset"] == dataset]
        ranked = table[table["rank"].notna() & ~table["method"].isin(list(results.controls))]
        whole = next((one for one in orders if (one["dataset"], one["model"]) == (place, -1)), None)
        sentences = [_leader(whole, names), _best(ranked, health), _failing(health), _not_told_apart(table)]
        found.append({"dataset": place, "sentences": [text for text in sentences if text]})
    return found


def _leader(whole: dict[str, Any] | None, names: Names) -> str:
    if whole is None:
        return "No column passes its controls on any model, or no random control ran, so there is no headline order."
    if not whole["methods"]:
        return "No method has a score in all columns that pass their controls; choose one model to see its order."
    first, high = whole["methods"][0], whole["high"][0]
    close = [
        names.methods[method]
        for method, low in zip(whole["methods"][1:], whole["low"][1:], strict=True)
        if low <= high
    ]
    text = f"{names.methods[first]} has the best mean rank, {whole['rank'][0]:.1f} of {len(whole['methods'])}"
    return (
        f"{text}; the intervals of {_some(close)} overlap with its own."
        if close
        else f"{text}; no other interval overlaps with its own."
    )


def _best(ranked: pd.DataFrame, health: pd.DataFrame) -> str:
    """In how many of the columns that pass their controls each method is in the set of the best."""
    key = ["model", "metric", "settings", "perturbation"]
    passing = health.loc[passes_controls(health), key].astype(str)
    if passing.empty or ranked.empty:
        return ""
    counted = ranked.astype(dict.fromkeys(key, str)).merge(passing, on=key)
    often = counted[counted["best"].astype(bool)]["method"].astype(str).value_counts()
    if often.empty:
        return ""
    shown = ", ".join(f"{name} in {count}" for name, count in often.head(_NAMED).items())
    counted_columns = f"{len(passing)} columns (each model counted) that pass their controls"
    return f"In the set of the best most often: {shown} of {counted_columns}."


def _failing(health: pd.DataFrame) -> str:
    """Which columns fail their controls."""
    if health.empty:
        return ""
    if health["beat_random"].isna().all():
        return "No random control ran: nothing says whether the metrics measure more than chance."
    failing = health[~passes_controls(health)]
    if failing.empty:
        return f"All {len(health)} columns (each model counted) pass their controls."
    often = failing["column"].astype(str).value_counts()
    shown = _some([f"{name} ({count})" for name, count in often.items()])
    return f"{len(failing)} of {len(health)} columns (each model counted) fail their controls, among them {shown}."


def _not_told_apart(table: pd.DataFrame) -> str:
    """How many columns leave most methods in the set of the best."""
    ranked = table[table["rank"].notna()]
    if ranked.empty:
        return ""
    key = ["model", "metric", "settings", "perturbation"]
    share = ranked.assign(best=ranked["best"].astype(float)).groupby(key, observed=True)["best"].mean()
    undecided = int((share > 0.5).sum())
    return (
        f"In {undecided} of {len(share)} ranked columns (each model counted) more than half of the methods may be"
        " the best: there they are hardly told apart."
    )


def _some(names: list[str]) -> str:
    shown = names if len(names) <= _NAMED else [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else "".join(shown)
