"""``compare.csv``: a row for each column and each rival, with the difference, its interval and a verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from ...errors import XaiboardError
from ...statistics.differences import more_cautious
from ...statistics.step_down import critical_value
from ...store.columns import LABEL
from ...store.glossary import Glossary
from ...toolkit.labels import Label, read_trained
from ..blocks import DIRECTIONS
from ..results import Results
from .contests import Contest, contests
from .question import ALL, Question, find_name, matching_columns
from .rows import of_recipes, of_samples

COMPARE = [
    "dataset", "model", "method", "against", "metric", "settings", "perturbation", "metric_family",
    "higher_is_better", "mean", "mean_against", "effect", "ci_low", "ci_high", "n", "verdict",
    "smallest_difference", "samples_needed", "unit", "note", "correct", "margin", "rivals",
]  # fmt: skip

_NAMES = [*LABEL, "metric_family", "higher_is_better"]


def compare(results: Results, question: Question) -> pd.DataFrame:
    """One row for each column with a direction, and each rival of the side that is asked about.

    ``effect`` is its mean less that of the rival, in units of the score. Interval and verdict hold at 95 % for all
    pairs in a column together; verdicts are those of the leaderboard. ``smallest_difference`` is what this number of
    samples would tell apart with a power of 80 %, and ``samples_needed`` how many would settle the difference that was
    found. ``correct``, ``margin`` and ``rivals`` say what a row that is quoted alone is of.

    Raises:
        XaiboardError: a name that is not in the run, or nothing to compare.
    """
    kind = question.kind
    if kind == "method":
        _require_methods(question, results)
    mine, rivals = _sides(question, _known(results, kind))
    where = matching_columns(results.blocks.rows, question.on, results.glossary)
    if question.method and question.model:
        model = find_name("model", question.model, _known(results, "model"))
        where &= (results.blocks.rows["model"] == model).to_numpy()
    found = list(contests(results.blocks, results.glossary, kind, where))
    if not found:
        raise XaiboardError(_nothing(results.blocks.rows[where], kind))
    asked = {"correct": "columns" if question.columns_together else "", "margin": question.margin}
    if question.columns_together:
        found = _together(found)
    states = _states(results.cells, kind)
    row_of = of_recipes if question.seeds else of_samples
    table = []
    for contest in found:
        why = _states_in(states, contest.names, kind, results.glossary)
        for rival in rivals:
            if row := row_of(contest, question, mine, rival, why):
                names = {name: contest.names[name] for name in _NAMES}
                table.append({**names, kind: mine, "against": rival, **asked, **row})
    if not table:
        raise XaiboardError(
            f"neither '{mine}' nor {', '.join(map(repr, rivals))} has scores in these columns; cells.csv says why"
        )
    order = ["dataset", "model", "metric", "settings", "perturbation", "method", "against"]
    answer = pd.DataFrame(table, columns=COMPARE).astype({"margin": float, "rivals": "Int64"})
    return answer.sort_values(order, kind="stable").reset_index(drop=True)


def _known(results: Results, kind: str) -> dict[str, Label]:
    """The component of each text in the tables."""
    if kind == "model":
        return {text: Label(text, {}) for text in results.cells["model"].unique()}
    return {text: results.glossary.methods[text] for text in results.cells["method"].unique() if text}


def _sides(question: Question, known: Mapping[str, Label]) -> tuple[str, list[str]]:
    """The side that is asked about and its rivals, as they stand in the tables; with seeds, their recipes.

    Raises:
        XaiboardError: one is not in the run, or there is no rival.
    """
    kind = question.kind
    mine = find_name(kind, question.side, known)
    every = ALL in question.against
    rivals = sorted(known) if every else [find_name(kind, name, known) for name in question.against]
    if question.seeds:
        kind, mine, *rivals = ("recipe", *(read_trained(name).recipe for name in (mine, *rivals)))
    others = [name for name in dict.fromkeys(rivals) if name != mine]
    if not others:
        only = (
            f"'{mine}' is the only {kind} in the run" if every else f"'{mine}' is to be compared with itself"
        )
        raise XaiboardError(f"{only}; name another {kind} with --against")
    if question.seeds:
        _require_seeds(mine, others, known)
    return mine, others


def _require_methods(question: Question, results: Results) -> None:
    """Refuses models as rivals of a method.

    Raises:
        XaiboardError: there is one.
    """
    models = [name for name in question.against if name in _known(results, "model")]
    wrong = [name for name in models if name not in _known(results, "method")]
    if wrong:
        raise XaiboardError(
            f"'{wrong[0]}' is a model, and with --method the question is about methods; to compare models leave"
            " --method out, name one with --model, and pick columns with --on"
        )


def _require_seeds(mine: str, others: Sequence[str], known: Iterable[str]) -> None:
    """Refuses recipes of which nothing can be said.

    Raises:
        XaiboardError: there is but one network of the one that is asked about, or of each of its rivals.
    """
    networks = Counter(read_trained(name).recipe for name in known)
    alone = [name for name in (mine, *others) if networks[name] == 1]
    if mine in alone or set(others) <= set(alone):
        raise XaiboardError(
            f"there is one network alone of {', '.join(alone[:5])}{' and others' if len(alone) > 5 else ''}, which says"
            " nothing about a recipe; leave --seeds out, or run networks of other seeds too"
        )


def _nothing(rows: pd.DataFrame, kind: str) -> str:
    """Why no column can be compared, of those that the question is about."""
    names = sorted(set(rows["metric"]))
    what = f"{', '.join(names[:5])}{' and others' if len(names) > 5 else ''}"
    if not rows["higher_is_better"].isin(DIRECTIONS).any():
        return f"nothing is better in {what or 'no column'}: there is no column with a direction; name others with --on"
    if kind == "method":
        return f"{what} judges models alone; compare these with --model, or name columns of methods with --on"
    return f"{what} may not be compared between models: its scale is each model's own; name others with --on"


def _states(cells: pd.DataFrame, kind: str) -> dict[tuple[str, ...], dict[str, str]]:
    """Why cells have no scores: by their other names, for each method or model."""
    others = [name for name in LABEL if name != kind]
    found: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    absent = cells.loc[cells["status"] != "ok", [*others, kind, "status", "note"]].astype(str)
    for *names, side, status, note in absent.itertuples(index=False):
        found[tuple(names)][side] = f"{status}, {note}" if note else status
    return found


def _states_in(
    states: Mapping[tuple[str, ...], dict[str, str]], names: Mapping[str, str], kind: str, glossary: Glossary
) -> Mapping[str, str]:
    """Those of the cells of one column."""
    of_cell = {**names, "metric": glossary.columns[names["metric"]].metric}
    return states.get(tuple(of_cell[name] for name in LABEL if name != kind), {})


def _together(found: list[Contest]) -> list[Contest]:
    """The same columns, with intervals and verdicts that hold for all of them together."""
    draws = min(len(contest.found.maxima) for contest in found)
    joint = critical_value(np.max([contest.found.maxima[:draws] for contest in found], axis=0))
    return [one._replace(found=more_cautious(one.found, one.column.means, joint)) for one in found]
