"""The section that ranks the methods on each model."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from ...store.columns import LABEL
from ..drawing.rank_diagram import draw_ranks
from ..markdown import DIRECTION_SIGNS, marked, number
from ..mean_ranks import mean_ranks, trusted_columns
from ..results import Results
from ..section import section

LEGEND = """\
Ranks compare the methods of one model, 1 is best. With 95 % probability all rank intervals of a column hold the true
ranks at once, for this network and images like these; methods whose intervals overlap may be told apart all the same:
`xaiboard compare` says it pair by pair. Those that can be first (★) are the set of the best. ↑ marks columns in which
higher is better, ↓ those in which lower is; ≈ marks intervals that are less sure, for the reason in the `note` of
`leaderboard.csv`.
Controls are marked †: a method that does not beat them explains nothing. Raw deletion and insertion areas are
comparable within one model only; the columns that compare models are in `families.csv`. All columns with intervals:
`leaderboard.csv`.
"""


def draw(results: Results, dataset: str, path: Path) -> bool:
    """Draws the methods along their mean ranks."""
    plain = [text for text in results.glossary.columns if results.glossary.is_plain(text)]
    health = results.health[results.health["dataset"] == dataset]
    found = mean_ranks(results.blocks, results.standings, trusted_columns(health, plain))
    return draw_ranks(found, results.colours, results.controls, path)


@section(
    title="Methods",
    question="Which method explains each model best, by each metric?",
    note="Mean score (rank interval, ★ in the set of the best); over several baselines: mean rank (lowest–highest).",
    files={
        "leaderboard.csv": lambda results: results.leaderboard,
        "leaderboard_wide.csv": lambda results: results.wide,
    },
    figures={"ranks": draw},
    legend=LEGEND,
    place=200,
)
def methods(results: Results, dataset: str) -> pd.DataFrame:
    """One row for each model and method; one column for each metric's plain score."""
    table = results.leaderboard[results.leaderboard["dataset"] == dataset]
    is_plain = [results.glossary.is_plain(text) for text in table["metric"]]
    plain = table[is_plain]
    plain = plain[plain["method"] != ""]
    signs = {text: _sign(group) for text, group in plain.groupby("metric", observed=True)["higher_is_better"]}
    rows = []
    for (model, method), group in plain.groupby(["model", "method"], sort=False, observed=True):
        row = {"model": model, "method": marked(str(method), results.controls)}
        for metric, cells in group.groupby("metric", sort=False, observed=True):
            row[f"{metric} {signs[metric]}".strip()] = _summary(cells, results.doubtful)
        rows.append(row)
    if not rows:
        return pd.DataFrame()
    return pd.DataFrame(rows).sort_values(["model", "method"], kind="stable").fillna("")


def _summary(cells: pd.DataFrame, doubtful: Collection[tuple[str, ...]]) -> str:
    """One entry, from the rows of one metric under its different settings and perturbations."""
    if (cells["status"] != "ok").any():
        return str(cells.loc[cells["status"] != "ok", "status"].iloc[0])
    if len(cells) == 1:
        row = cells.iloc[0]
        if pd.isna(row["rank"]):
            return number(row["mean"])
        doubt = "≈" if tuple(row[LABEL]) in doubtful else ""
        return f"{number(row['mean'])} ({row['rank_low']}–{row['rank_high']}){doubt}{' ★' if row['best'] else ''}"
    if cells["rank"].isna().any():
        return ""
    rank = cells["rank"].astype(float)
    return f"#{rank.mean():.1f} ({rank.min():.0f}–{rank.max():.0f})"


def _sign(directions: pd.Series) -> str:
    """Whether higher or lower is better; rows without scores do not know."""
    return next((DIRECTION_SIGNS[word] for word in directions if word), "")
