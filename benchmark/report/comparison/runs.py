"""The runs that a comparison reads: one, or two that are joined on what is equal in both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import XaiboardError
from ...store import tables
from ...store.columns import LABEL, WORDS
from ..results import Results

_VERSIONS = ["model_version", "metric_version", "perturbation_version", "weights", "reference"]
"""What must be equal in both runs for a column to be the same."""

_OF_METHOD = ["method_settings", "method_version"]
"""What must be equal in both runs for a method to be the same, besides its scores."""

_SAMPLE = ["dataset", "model", "sample"]

_COLUMN = [name for name in LABEL if name != "method"]


def one_run(folder: Path, model: str = "") -> Results:
    """The results of a run; with a model, only its scores are read."""
    results = Results(folder)
    if model and model in set(results.cells["model"]):
        scores = tables.read_scores(folder, model=model)
        vars(results).update(scores=scores)
    return results


def two_runs(first: Results, second: Results) -> Results:
    """The scores of both runs on the samples that both have, in the columns that are the same in both.

    A method that both runs have counts once if it is the same in both, and else bears the name of its run.

    Raises:
        XaiboardError: no column is the same in both, or no sample is.
    """
    cells = [
        one.cells[one.cells["status"] == "ok"].astype(dict.fromkeys(LABEL, str)) for one in (first, second)
    ]
    columns = _same_columns(*cells)
    scores = [_in_columns(one, columns) for one in (first, second)]
    common = _common_samples(*scores)
    if common.empty:
        raise XaiboardError(
            f"'{first.folder}' and '{second.folder}' share no sample on which the same class is explained; compare runs"
            " on the same data"
        )
    scores = [own.merge(common, on=_SAMPLE) for own in scores]
    changed = _changed_methods(cells, scores)
    repeated = set(scores[0]["method"]) & set(scores[1]["method"]) - changed
    joined = []
    for tables_of_runs in (cells, scores):
        one, other = tables_of_runs
        other = other[~other["method"].isin(repeated)]
        named = [
            own.replace({"method": {method: f"{method} ({name})" for method in changed}})
            for own, name in zip((one, other), _names(first.folder, second.folder), strict=True)
        ]
        joined.append(pd.concat(named, ignore_index=True))
    return Results.of(*joined)


def _same_columns(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The columns of both runs whose metric, model and perturbation are the same.

    Raises:
        XaiboardError: there is none; it says what differs.
    """
    a, b = (
        cells[[*_COLUMN, *_VERSIONS]].astype(str).drop_duplicates(_COLUMN).set_index(_COLUMN).sort_index()
        for cells in (one, other)
    )
    common = a.index.intersection(b.index)
    if not len(common):
        raise XaiboardError(
            "the two runs have no column in common: other data sets, models, metrics or settings"
        )
    a, b = a.loc[common], b.loc[common]
    same = (a == b).all(axis=1).to_numpy()
    if not same.any():
        names = [name for name in _VERSIONS if (a[name] != b[name]).any()]
        raise XaiboardError(
            f"the two runs differ in {' and '.join(names)} in every column that both have; run both with one version"
        )
    return common[same].to_frame(index=False)


def _in_columns(results: Results, columns: pd.DataFrame) -> pd.DataFrame:
    """The scores of a run in these columns, with plain texts."""
    words = [name for name in WORDS if name in results.scores.columns]
    scores = results.scores.astype(dict.fromkeys(words, str))
    of_cell = {text: results.glossary.columns[text].metric for text in scores["metric"].unique()}
    scores = scores.assign(cell=scores["metric"].map(of_cell))
    kept = scores.merge(columns.rename(columns={"metric": "cell"}), on=[*(set(_COLUMN) - {"metric"}), "cell"])
    return kept.drop(columns="cell")


def _common_samples(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Samples of each model that both runs have, and on which they explain the same class."""
    a, b = (scores[[*_SAMPLE, "target", "label"]].drop_duplicates(_SAMPLE) for scores in (one, other))
    return a.merge(b, on=[*_SAMPLE, "target", "label"])[_SAMPLE]


def _changed_methods(cells: list[pd.DataFrame], scores: list[pd.DataFrame]) -> set[str]:
    """Methods that both runs have, but not with the same version, settings and scores."""
    facts = [
        own[["method", *_OF_METHOD]].astype(str).drop_duplicates().groupby("method").agg(set) for own in cells
    ]
    both = sorted((set(scores[0]["method"]) & set(scores[1]["method"])) - {""})
    changed = {
        name for name in both if any(facts[0].loc[name, of] != facts[1].loc[name, of] for of in _OF_METHOD)
    }
    key = [*LABEL, "sample"]
    pairs = scores[0][[*key, "score"]].merge(scores[1][[*key, "score"]], on=key)
    apart = ~np.isclose(pairs["score_x"], pairs["score_y"], rtol=1e-4, atol=1e-6, equal_nan=True)
    return changed | (set(pairs.loc[apart, "method"]) - {""})


def _names(first: Path, second: Path) -> tuple[str, str]:
    """Short names of two runs: of their folders, or their paths where these are the same."""
    if first.resolve().name != second.resolve().name:
        return first.resolve().name, second.resolve().name
    return str(first), str(second)
