"""The runs that a comparison reads: one, or two that are joined on what is equal in both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...errors import XaiboardError
from ...store import tables
from ...store.columns import LABEL, WORDS
from ...store.glossary import KINDS, read_said
from ..results import Results

_FACTS = {
    "method": ["method_settings", "method_version"],
    "model": ["model_version", "weights"],
    "metric": ["metric_version"],
    "perturbation": ["perturbation_version"],
}
"""What must be equal in both runs for a component to be the same."""

_LIKE = {"rtol": 1e-4, "atol": 1e-6}
"""How far the scores of one method may differ between two machines."""


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
        vars(results).update(scores=tables.read_scores(folder, model=model))
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
    columns, remark = _same_columns(first.cells, second.cells, kind)
    cells = [one.cells.merge(columns, on=list(columns)) for one in runs]
    scores = _on_common_samples([_in_columns(one, columns) for one in runs], kind)
    if not len(scores[0]):
        raise XaiboardError(
            f"'{first.folder}' and '{second.folder}' share no sample on which the same class is explained; compare runs"
            " on the same data"
        )
    names = {side: _names(first.folder, second.folder) for side in _changed(cells, scores, kind)}
    cells, scores = (
        [_named(own, kind, names, at) for at, own in enumerate(both)] for both in (cells, scores)
    )
    every = pd.concat(cells).sort_values("status", key=lambda status: status != "ok", kind="stable")
    joined = Results.of(
        every.drop_duplicates(LABEL).reset_index(drop=True),
        pd.concat([scores[0], _without(scores[1], scores[0])], ignore_index=True),
        said=_said(runs, names if kind == "method" else {}),
    )
    samples = joined.scores[["dataset", "sample"]].drop_duplicates()
    return Joined(joined, f"The two runs have {len(samples)} samples in common{remark}.")


def _same_columns(one: pd.DataFrame, other: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, str]:
    """The columns of both runs whose components are the same, and a remark on those that differ.

    Raises:
        XaiboardError: there is none; it says what differs.
    """
    names = [name for name in LABEL if name != kind]
    facts = [fact for component, of in _FACTS.items() if component != kind for fact in of]
    a, b = (
        cells.loc[cells["status"] == "ok", [*names, *facts]]
        .drop_duplicates(names)
        .set_index(names)
        .sort_index()
        for cells in (one, other)
    )
    common = a.index.intersection(b.index)
    if not len(common):
        what = "data sets, models, metrics" if kind == "method" else "data sets, methods, metrics"
        raise XaiboardError(f"the two runs have no column in common: they are of other {what} or settings")
    a, b = a.loc[common], b.loc[common]
    differ = " and ".join(name for name in facts if (a[name] != b[name]).any())
    same = (a == b).all(axis=1).to_numpy()
    if not same.any():
        raise XaiboardError(
            f"the two runs differ in {differ} in every column that both have; run both with one version"
        )
    left_out = (
        f"; {(~same).sum()} of the {len(same)} columns that both have are left out, they differ in {differ}"
    )
    return common[same].to_frame(index=False), "" if same.all() else left_out


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


def _on_common_samples(scores: Sequence[pd.DataFrame], kind: str) -> list[pd.DataFrame]:
    """The scores on the samples of which both runs explain the same class of each model.

    Raises:
        XaiboardError: other random numbers were drawn for them.
    """
    seeds = [sorted(own["seed"].unique().tolist()) for own in scores]
    if all(map(len, scores)) and seeds[0] != seeds[1]:
        one, other = (", ".join(map(str, seed)) for seed in seeds)
        raise XaiboardError(f"the two runs have the seeds {one} and {other}; run both with one --seed")
    names = ["dataset", "model", "sample"] if kind == "method" else ["dataset", "sample"]
    equal = [*names, "target", "label"] if kind == "method" else [*names, "label"]
    a, b = (own[equal].drop_duplicates(names) for own in scores)
    common = a.merge(b, on=equal)[names]
    return [own.merge(common, on=names) for own in scores]


def _changed(cells: Sequence[pd.DataFrame], scores: Sequence[pd.DataFrame], kind: str) -> set[str]:
    """The methods, or models, that both runs have, but not with the same version, settings and scores."""
    facts = [
        set(own.loc[own["status"] == "ok", [kind, *_FACTS[kind]]].itertuples(index=False, name=None))
        for own in cells
    ]
    key = [*LABEL, "sample"]
    pairs = scores[0][[*key, "target", "score"]].merge(scores[1][[*key, "target", "score"]], on=key)
    apart = ~np.isclose(pairs["score_x"], pairs["score_y"], **_LIKE, equal_nan=True)
    apart |= (pairs["target_x"] != pairs["target_y"]).to_numpy()
    both = set(scores[0][kind]) & set(scores[1][kind])
    other_facts = {side for side, *_ in facts[0] ^ facts[1]}
    return both & (other_facts | set(pairs.loc[apart, kind])) - {""}


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
