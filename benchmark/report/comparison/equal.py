"""What is equal in two runs: images, columns, samples, methods and models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...errors import XaiboardError
from ...store.columns import LABEL
from ..results import Results

_FACTS = {
    "method": ["method_settings", "method_version"],
    "model": ["model_version", "weights"],
    "metric": ["metric_version"],
    "perturbation": ["perturbation_version"],
}
"""What must be equal in both runs for a component to be the same."""

LIKE = {"rtol": 1e-4, "atol": 1e-6}
"""How far the scores of one method may differ between two machines."""


def check_images(first: Results, second: Results) -> None:
    """Refuses runs of other images under the same numbers, such as a folder of images that has changed.

    Raises:
        XaiboardError: they are.
    """
    both = ["dataset", "samples", "n"]
    one, other = (results.cells.loc[results.cells["status"] == "ok", both] for results in (first, second))
    for dataset in sorted(set(one["dataset"]) & set(other["dataset"])):
        a, b = (cells[cells["dataset"] == dataset] for cells in (one, other))
        if set(a["n"]) == set(b["n"]) and not set(a["samples"]) & set(b["samples"]):
            raise XaiboardError(
                f"'{first.folder}' and '{second.folder}' have as many images of {dataset}, but other ones; run both on"
                " the same data"
            )


def same_columns(one: pd.DataFrame, other: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, str]:
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


def on_common_samples(scores: Sequence[pd.DataFrame], kind: str) -> list[pd.DataFrame]:
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


def changed_sides(cells: Sequence[pd.DataFrame], scores: Sequence[pd.DataFrame], kind: str) -> set[str]:
    """The methods, or models, that both runs have, but not with the same version, settings and scores."""
    facts = [
        set(own.loc[own["status"] == "ok", [kind, *_FACTS[kind]]].itertuples(index=False, name=None))
        for own in cells
    ]
    key = [*LABEL, "sample"]
    pairs = scores[0][[*key, "target", "score"]].merge(scores[1][[*key, "target", "score"]], on=key)
    apart = ~np.isclose(pairs["score_x"], pairs["score_y"], **LIKE, equal_nan=True)
    apart |= (pairs["target_x"] != pairs["target_y"]).to_numpy()
    both = set(scores[0][kind]) & set(scores[1][kind])
    other_facts = {side for side, *_ in facts[0] ^ facts[1]}
    return both & (other_facts | set(pairs.loc[apart, kind])) - {""}
