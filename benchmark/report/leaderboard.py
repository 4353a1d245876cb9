"""The leaderboard: means of the scores, with intervals, and ranks of the methods of one model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..statistics.complete import MOST_MISSING
from ..statistics.ranks import Ranks
from ..statistics.rare import FEWEST
from ..statistics.skewness import TOLERATED
from ..store.columns import LABEL
from ..store.glossary import Glossary
from .attribution_robustness.convergence import NOT_CONVERGED
from .blocks import COLUMN, Blocks
from .column_names import short_names
from .standing import Standing

LEADERBOARD = [
    "dataset", "model", "family", "method", "metric", "settings", "perturbation", "metric_family",
    "higher_is_better", "mean", "ci_low", "ci_high", "n", "rank", "rank_low", "rank_high", "seconds", "status",
    "note", "best", "control",
]  # fmt: skip

SKEWED = "perhaps too few samples for their skewness: false claims may be more frequent than 5 %"
"""Said of columns that are marked; how much more frequent they are is not known well enough for a number."""

RARE = "differs from its most frequent score on fewer than"
"""How the note of a method begins whose scores hardly differ from each other."""

OF_CLASS = ("class_chance", "above_class")
"""Columns that compare with other images of the same class, which not every class has."""

_CELL = ["dataset", "model", "method", "cell", "settings", "perturbation"]
"""What names the cell of a row: as the row's own names, but all columns of a metric are of one cell."""

_COUNTS = ("n", "rank", "rank_low", "rank_high")


def leaderboard(
    cells: pd.DataFrame, blocks: Blocks, standings: list[Standing], converged: np.ndarray, glossary: Glossary
) -> pd.DataFrame:
    """One row for each (data set, model, method, metric, settings, perturbation).

    Ranks compare the methods of one model; ``best`` says whether a method is in the 95 % confidence set of the best. A
    cell that failed or does not apply keeps its row, with empty numbers. The note says how many samples were left out,
    whether an attack has not converged, and what a rank lacks.

    Args:
        cells: all planned cells.
        blocks: the scores.
        standings: of all columns.
        converged: a word for each block, see :func:`.convergence.converged`.
        glossary: what the names stand for.
    """
    finished = blocks.rows.assign(converged=converged).join(_numbers(standings, len(blocks.rows)))
    finished = finished.reindex(columns=[*LEADERBOARD, "scored", "samples", "converged", "rank_note"])
    finished = finished.assign(cell=[glossary.columns[text].metric for text in finished["metric"]])
    known = cells.rename(columns={"metric": "cell"})[[*_CELL, "seconds", "status", "note", "control"]]
    table = finished.drop(columns=["seconds", "status", "note", "control"]).merge(known, on=_CELL, how="left")
    table["note"] = _notes(table, glossary)
    empty = cells[cells["status"] != "ok"].drop(columns="n").reindex(columns=LEADERBOARD)
    empty["higher_is_better"] = ""
    table = pd.concat([table[LEADERBOARD], empty])
    table = table.astype(dict.fromkeys(_COUNTS, "Int64") | {"best": "boolean", "control": "boolean"})
    order = ["dataset", "model", *COLUMN, "rank", "method"]
    return table.sort_values(order, kind="stable", na_position="last").reset_index(drop=True)


def _numbers(standings: list[Standing], size: int) -> pd.DataFrame:
    """Means, intervals and ranks of all rows of the blocks, in their order."""
    means = {name: np.full(size, np.nan) for name in ("mean", "ci_low", "ci_high")}
    counts = {name: np.zeros(size, dtype=np.int64) for name in ("scored", "samples", *_COUNTS)}
    best, ranked = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    notes = np.full(size, "", dtype=object)
    for one in standings:
        at, ranks = one.places, one.ranks
        means["mean"][at], means["ci_low"][at], means["ci_high"][at] = one.mean, one.low, one.high
        counts["n"][at], counts["scored"][at], counts["samples"][at] = one.used, one.scored, one.samples
        if ranks:
            counts["rank"][at] = ranks.rank
            counts["rank_low"][at], counts["rank_high"][at] = ranks.low, ranks.high
            best[at], ranked[at], notes[at] = ranks.best, ranks.compared, _rank_notes(ranks, one.used)
    table = pd.DataFrame({**means, **counts, "best": best, "rank_note": notes})
    table = table.astype(dict.fromkeys(_COUNTS, "Int64") | {"best": "boolean"})
    table.loc[~ranked, ["rank", "rank_low", "rank_high", "best"]] = pd.NA
    return table


def doubtful(blocks: Blocks, standings: list[Standing]) -> set[tuple[str, ...]]:
    """The names of rows whose rank is to be read with its note: of rare events, or too few samples for their skewness.

    Args:
        blocks: the scores.
        standings: of all columns.
    """
    found = np.zeros(len(blocks.rows), dtype=bool)
    for one in standings:
        if one.ranks:
            found[one.places] = one.ranks.compared & (one.ranks.rare | (one.ranks.error > TOLERATED))
    return set(blocks.rows.loc[found, LABEL].itertuples(index=False, name=None))


def is_doubtful(note: str) -> bool:
    """Whether a row's note says so, see :func:`doubtful`."""
    return SKEWED in note or RARE in note


def _rank_notes(ranks: Ranks, used: np.ndarray) -> list[str]:
    """What is to be known of each rank."""
    skewed = SKEWED if ranks.error > TOLERATED else ""
    notes = []
    for compared, rare, n in zip(ranks.compared, ranks.rare, used, strict=True):
        if not n:
            notes.append("")  # why, the note says
            continue
        if not compared:
            notes.append(f"no rank: more than {100 * MOST_MISSING:g} % of the samples are missing")
            continue
        parts = [
            f"ranked on the {ranks.n} samples that all methods have" if n > ranks.n else "",
            f"{RARE} {FEWEST} samples" if rare else "",
            skewed,
        ]
        notes.append("; ".join(filter(None, parts)))
    return notes


def _notes(table: pd.DataFrame, glossary: Glossary) -> pd.Series:
    """How many samples a mean lacks, and why; whether an attack has not converged; what a rank lacks.

    Before them stands what the cell itself says: what a careless component has changed.
    """
    samples, scored = table["samples"], table["scored"]
    without, left = samples - scored, scored - table["n"]
    why = np.where(
        table["perturbation"] != "", "the prediction changed under the perturbation", "their weight is zero"
    )
    why = np.where(table["metric_family"] == "perturbation", "their weight is zero", why)
    of_class = [text for text in set(table["metric"]) if glossary.columns[text].name in OF_CLASS]
    no_other = "the prediction changed, or no background image shares their class"
    why = np.where(table["metric"].isin(of_class), no_other, why)
    of_all = " of " + samples.astype(str) + " samples "
    unscored = (without.astype(str) + of_all + "have no score").where(without > 0, "")
    left_out = (left.astype(str) + of_all + "left out: ").where(table["n"] > 0, "no sample is left: ") + why
    left_out = left_out.where(left > 0, "")
    weak = pd.Series(np.where(table["converged"] == NOT_CONVERGED, NOT_CONVERGED, ""), index=table.index)
    parts = [table["note"], unscored, left_out, weak, table["rank_note"]]
    joined = parts[0].astype(str)
    for part in parts[1:]:
        joined = joined.where(part == "", joined.where(joined == "", joined + "; ") + part)
    return joined


def wide(table: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """The leaderboard's means: one row for each model and method, one column of means for each metric column."""
    judged = table[table["method"] != ""]
    names = short_names(judged, glossary)
    mean = judged.assign(column=names).pivot_table(
        index=["dataset", "model", "family", "method"],
        columns="column",
        values="mean",
        sort=False,
        dropna=False,
        observed=True,
    )
    present = judged.groupby(["dataset", "model", "family", "method"], observed=True).size().index
    return mean.reindex(index=present, columns=sorted(set(names))).reset_index()
