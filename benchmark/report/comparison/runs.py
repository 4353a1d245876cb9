"""The runs that a comparison reads: one, or two that are joined on what is equal in both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ...errors import XaiboardError
from ...store import tables
from ...store.columns import LABEL, WORDS
from ...store.glossary import KINDS, read_said
from ...toolkit.wording import counted
from ..blocks import Blocks
from ..results import Results
from .equal import changed_sides, check_images, on_common_samples, same_columns


class Joined(NamedTuple):
    """What a comparison reads.

    Args:
        results: the tables.
        remark: which columns and samples of two runs they are of; empty for one run.
    """

    results: Results
    remark: str = ""


def one_run(folder: Path, model: str = "") -> Results:
    """The results of a run; with a model, only its scores are read."""
    results = Results(folder)
    if model and model in set(results.cells["model"]):
        vars(results).update(blocks=Blocks(tables.unpack_scores(folder, model=model)))
    return results


def two_runs(first: Results, second: Results, kind: str) -> Joined:
    """The scores of both runs on the samples that both have, in the columns that are the same in both.

    A column is the same if all of its components but the one that is compared are, and the seed is. A method (or model,
    if these are compared) that both runs have counts once if it is the same in both; else it bears its run's name.

    Args:
        first: a run; of what is the same in both, its scores are taken.
        second: another.
        kind: what is compared: ``method`` or ``model``.

    Raises:
        XaiboardError: no column is the same in both, or no sample is.
    """
    runs = (first, second)
    if first.folder.resolve() == second.folder.resolve():
        raise XaiboardError(f"'{first.folder}' is given twice; name two runs, or one alone")
    check_images(*runs)
    columns, remark = same_columns(first.cells, second.cells, kind)
    cells = [one.cells.merge(columns, on=list(columns)) for one in runs]
    scores = on_common_samples([_in_columns(one, columns) for one in runs], kind)
    if not len(scores[0]):
        raise XaiboardError(
            f"'{first.folder}' and '{second.folder}' share no sample on which the same class is explained; compare runs"
            " on the same data"
        )
    names = {side: _names(first.folder, second.folder) for side in changed_sides(cells, scores, kind)}
    cells, scores = (
        [_named(own, kind, names, at) for at, own in enumerate(both)] for both in (cells, scores)
    )
    joined = Results.of(
        pd.concat(cells).drop_duplicates(LABEL, ignore_index=True),
        pd.concat([scores[0], _without(scores[1], scores[0])], ignore_index=True),
        said=_said(runs, names if kind == "method" else {}),
    )
    samples = joined.scores[["dataset", "sample"]].drop_duplicates()
    return Joined(joined, f"The two runs have {counted(len(samples), 'sample')} in common{remark}.")


def _in_columns(results: Results, columns: pd.DataFrame) -> pd.DataFrame:
    """The scores of a run in these columns, with plain texts."""
    scores = results.scores
    cell_of = {text: results.glossary.columns[text].metric for text in scores["metric"].unique()}
    texts = [text for text, metric in cell_of.items() if metric in set(columns["metric"])]
    kept = scores["metric"].isin(texts)
    for name in columns.columns.drop("metric"):
        kept &= scores[name].isin(columns[name])
    words = [name for name in WORDS if name in scores.columns]
    scores = (
        scores[kept].astype(dict.fromkeys(words, str)).assign(cell=lambda own: own["metric"].map(cell_of))
    )
    wanted = columns.rename(columns={"metric": "cell"})
    return scores.merge(wanted, on=list(wanted)).drop(columns="cell")


def _named(table: pd.DataFrame, kind: str, names: dict[str, tuple[str, str]], at: int) -> pd.DataFrame:
    """The table of one run, with the name of the run beside those that are another in the other run."""
    return table.replace({kind: {side: f"{side} ({of[at]})" for side, of in names.items()}})


def _names(first: Path, second: Path) -> tuple[str, str]:
    """Short names of two runs: of their folders, or their paths where these are the same."""
    if first.resolve().name != second.resolve().name:
        return first.resolve().name, second.resolve().name
    return str(first), str(second)


def _without(scores: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """The scores of rows that others have no scores of."""
    marked = scores.merge(others[LABEL].drop_duplicates(), on=LABEL, how="left", indicator="found")
    return marked[marked.pop("found") == "left_only"]


def _said(runs: Sequence[Results], renamed: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """What both runs say of the names in their tables; the first has the last word."""
    one, other = (read_said(results.folder) for results in runs)
    roles = [said.get("roles", {}) for said in (other, one)]
    said = {part: {**other.get(part, {}), **one.get(part, {})} for part in {*one, *other}}
    said["roles"] = {kind: {**roles[0].get(kind, {}), **roles[1].get(kind, {})} for kind in KINDS}
    labels = {
        f"{method} ({name})": results.glossary.methods[method]._asdict()
        for method, names in renamed.items()
        for name, results in zip(names, runs, strict=True)
    }
    said["methods"] = {**said.get("methods", {}), **labels}
    return said
