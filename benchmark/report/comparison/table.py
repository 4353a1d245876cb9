"""``compare.csv``: a row for each column and each rival, with the difference, its interval and a verdict."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...errors import XaiboardError
from ...statistics.step_down import critical_value
from ...store.columns import LABEL
from ...store.glossary import Glossary
from ...toolkit.labels import read_trained
from ..results import Results
from .contests import Contest, contests
from .question import ALL, Question, find_name, matching_columns
from .rows import of_recipes, of_samples

COMPARE = [
    "dataset", "model", "method", "against", "metric", "settings", "perturbation", "metric_family",
    "higher_is_better", "mean", "mean_against", "effect", "ci_low", "ci_high", "n", "verdict",
    "smallest_difference", "samples_needed", "unit", "note",
]  # fmt: skip


def compare(results: Results, question: Question) -> pd.DataFrame:
    """One row for each column with a direction, and each rival of the side that is asked about.

    ``effect`` is its mean less that of the rival, in units of the score. Interval and verdict hold at 95 % for all
    pairs in a column together; verdicts are those of the leaderboard. ``smallest_difference`` is what this number of
    samples would tell apart with a power of 80 %, and ``samples_needed`` how many would tell the difference that was
    found.

    Raises:
        XaiboardError: a name that is not in the run, or nothing to compare.
    """
    rows = results.blocks.rows
    kind = question.kind
    known = _known(results, kind)
    mine = find_name(kind, getattr(question, kind), known)
    where = matching_columns(rows, question.on, results.glossary)
    if question.method and question.model:
        model = find_name("model", question.model, _known(results, "model"))
        where &= (rows["model"] == model).to_numpy()
    rivals = _rivals(question, mine, known, results)
    found = list(contests(results.blocks, results.glossary, kind, where))
    together = _joint(found) if question.columns_together else 0.0
    states = _states(results.cells, kind)
    table = []
    for contest in found:
        of_column = _states_in(states, contest.names, kind, results.glossary)
        for rival in rivals:
            row = (
                of_recipes(contest, question, mine, rival)
                if question.seeds
                else of_samples(contest, question, mine, rival, of_column, together)
            )
            if row:
                table.append({**_names(contest.names, kind, mine, rival), **row})
    if not table:
        raise XaiboardError(
            f"'{mine}' and {', '.join(map(repr, rivals))} have no scores in such columns; see the notes in cells.csv"
        )
    order = ["dataset", "model", "metric", "settings", "perturbation", "method", "against"]
    return pd.DataFrame(table, columns=COMPARE).sort_values(order, kind="stable").reset_index(drop=True)


def _states(cells: pd.DataFrame, kind: str) -> dict[tuple[str, ...], dict[str, str]]:
    """Why cells have no scores: by their other names, for each method or model."""
    others = [name for name in LABEL if name != kind]
    found: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    absent = cells[cells["status"] != "ok"]
    for *names, side, status, note in (
        absent[[*others, kind, "status", "note"]].astype(str).itertuples(index=False)
    ):
        found[tuple(names)][side] = f"{status}, {note}" if note else status
    return found


def _states_in(
    states: Mapping[tuple[str, ...], dict[str, str]], names: Mapping[str, str], kind: str, glossary: Glossary
) -> Mapping[str, str]:
    """Those of the cells of one column."""
    of_cell = {**names, "metric": glossary.columns[names["metric"]].metric}
    return states.get(tuple(of_cell[name] for name in LABEL if name != kind), {})


def _known(results: Results, kind: str) -> dict[str, str]:
    """The component's name of each text in the tables."""
    if kind == "model":
        return {text: text for text in results.cells["model"].unique()}
    texts = [text for text in results.cells["method"].unique() if text]
    return {text: results.glossary.methods[text].name for text in texts}


def _rivals(question: Question, mine: str, known: Mapping[str, str], results: Results) -> list[str]:
    if question.against != (ALL,):
        rivals = [find_name(question.kind, name, known) for name in question.against]
    else:
        rivals = sorted(known)
    if question.seeds:
        recipe = read_trained(mine).recipe
        return [name for name in rivals if read_trained(name).seed == 0 and name != recipe]
    others = [name for name in rivals if name != mine]
    if not others:
        raise XaiboardError(f"'{mine}' is the only {question.kind} to compare; name another with --against")
    return others


def _names(names: Mapping[str, str], kind: str, mine: str, rival: str) -> dict[str, str]:
    kept = (
        "dataset",
        "model",
        "method",
        "metric",
        "settings",
        "perturbation",
        "metric_family",
        "higher_is_better",
    )
    return {**{name: names[name] for name in kept}, kind: mine, "against": rival}


def _joint(found: list[Contest]) -> float:
    """What differences of all columns together are compared with."""
    draws = min((len(contest.found.maxima) for contest in found), default=0)
    if not draws:
        return math.inf
    return critical_value(np.max([contest.found.maxima[:draws] for contest in found], axis=0))
