"""The section that ranks the methods on each model."""

from __future__ import annotations

import pandas as pd

from ..markdown import marked, number
from ..results import Results
from ..section import section

LEGEND = """\
Ranks compare the methods of one model, 1 is best; a rank interval holds the ranks that a method cannot be told
apart from (paired bootstrap over samples, 95 %, Holm-corrected). Controls are marked †: a method that does not
beat them explains nothing. Raw deletion and insertion areas are comparable within one model only; the columns
that compare models are in `families.csv`. All columns with intervals: `leaderboard.csv`.
"""


@section(
    title="Methods",
    question="Which method explains each model best, by each metric?",
    note="Mean score (rank interval); over several baselines: mean rank (lowest–highest rank).",
    files={
        "leaderboard.csv": lambda results: results.leaderboard,
        "leaderboard_wide.csv": lambda results: results.wide,
    },
    legend=LEGEND,
    place=200,
)
def methods(results: Results, dataset: str) -> pd.DataFrame:
    """One row for each model and method; one column for each metric's plain score."""
    table = results.leaderboard[results.leaderboard["dataset"] == dataset]
    is_plain = [results.glossary.is_plain(text) for text in table["metric"]]
    plain = table[is_plain]
    plain = plain[plain["method"] != ""]
    rows = []
    for (model, method), group in plain.groupby(["model", "method"], sort=False, observed=True):
        row = {"model": model, "method": marked(str(method), results.controls)}
        for metric, cells in group.groupby("metric", sort=False, observed=True):
            row[str(metric)] = _summary(cells)
        rows.append(row)
    if not rows:
        return pd.DataFrame()
    return pd.DataFrame(rows).sort_values(["model", "method"], kind="stable").fillna("")


def _summary(cells: pd.DataFrame) -> str:
    """One entry, from the rows of one metric under its different settings and perturbations."""
    if (cells["status"] != "ok").any():
        return str(cells.loc[cells["status"] != "ok", "status"].iloc[0])
    if len(cells) == 1:
        row = cells.iloc[0]
        ranks = "" if pd.isna(row["rank"]) else f" ({row['rank_low']}–{row['rank_high']})"
        return number(row["mean"]) + ranks
    if cells["rank"].isna().any():
        return ""
    rank = cells["rank"].astype(float)
    return f"#{rank.mean():.1f} ({rank.min():.0f}–{rank.max():.0f})"
