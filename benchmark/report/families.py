"""Model families compared in pairs, on the samples that all models classify correctly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ..store.columns import LABEL
from ..store.glossary import Glossary
from .bootstrap import interval, resampled_counts, weighted_means
from .matrices import COLUMN, Matrix, correct_by_all, matrices

FAMILIES = [
    "dataset", "method", "metric", "settings", "perturbation", "higher_is_better", "family_a", "family_b",
    "models_a", "models_b", "mean_a", "mean_b", "difference", "ci_low", "ci_high", "better", "n", "status", "note",
]  # fmt: skip


Side = tuple[str, tuple[str, ...]]
"""One side of a comparison: a family, and those of its models that are compared."""

States = Mapping[tuple[str, ...], tuple[str, str]]
"""Status and note of each cell, by what names it."""


def compare_families(cells: pd.DataFrame, scores: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """Models of different families, and whole families, compared in pairs on common correct samples.

    Only columns that may be compared across models take part. A sample counts if every model classifies it
    correctly. A family's mean is the plain mean over its models; it is empty where one of them has no score.
    """
    comparable = scores[scores["across_models"] & (scores["method"] != "")]
    labels = cells[[*LABEL, "status", "note"]].astype(str).iloc[::-1].itertuples(index=False)
    states = {row[: len(LABEL)]: row[len(LABEL) :] for row in labels}
    rows = []
    for dataset, of_dataset in comparable.groupby("dataset", observed=True):
        correct = correct_by_all(of_dataset)
        planned = cells.loc[cells["dataset"] == dataset, ["model", "family"]]
        models = planned.drop_duplicates().sort_values(["family", "model"])
        opponents = list(_opponents(_sides(models)))
        kept = of_dataset["sample"].map(correct).to_numpy(dtype=bool)
        for _, matrix in matrices(
            of_dataset[kept] if kept.any() else of_dataset, ["dataset", "method", *COLUMN]
        ):
            metric = glossary.columns[matrix.rows["metric"].iloc[0]].metric
            pairs = _pairs(matrix, opponents, metric, states)
            rows.extend(pairs if kept.any() else map(_without_common, pairs))
    return pd.DataFrame(rows, columns=FAMILIES)


def _without_common(row: dict[str, Any]) -> dict[str, Any]:
    """The row of a comparison for which there are no samples."""
    fixed = {name: row[name] for name in FAMILIES[:10]}
    return {
        **fixed,
        "n": 0,
        "status": "inapplicable",
        "note": "no sample is classified correctly by all models",
    }


def _pairs(
    matrix: Matrix, opponents: list[tuple[Side, Side]], metric: str, states: States
) -> Iterator[dict[str, Any]]:
    """One row for each two sides, from the scores of one method in one metric column, a model in each place.

    Args:
        matrix: scores of the models on the same samples.
        opponents: sides that are compared.
        metric: whose column it is.
        states: what became of each cell, to say why a model has no score.
    """
    place = {model: position for position, model in enumerate(matrix.rows["model"])}
    first = {str(name): str(value) for name, value in matrix.rows.iloc[0].items()}
    means = _means(matrix)
    for (family_a, names_a), (family_b, names_b) in opponents:
        row = {
            **{name: first[name] for name in ("dataset", "method", *COLUMN, "higher_is_better")},
            "family_a": family_a,
            "family_b": family_b,
            "models_a": "+".join(names_a),
            "models_b": "+".join(names_b),
        }
        missing = [name for name in (*names_a, *names_b) if name not in place]
        if missing:
            cell = {**first, "model": missing[0], "metric": metric}
            yield {**row, "n": 0, **_why_missing(cell, states)}
            continue
        found = _difference(
            matrix, means, [place[name] for name in names_a], [place[name] for name in names_b]
        )
        better = _better(first["higher_is_better"], found["ci_low"], found["ci_high"], family_a, family_b)
        yield {**row, **found, "better": better, "status": "ok", "note": ""}


def _means(matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each model, ``(M,)``, and those of the resamples, ``(R, M)``."""
    n = len(matrix.score)
    mean = weighted_means(np.ones((1, n)), matrix.score, matrix.weight)[0]
    return mean, weighted_means(resampled_counts(n), matrix.score, matrix.weight)


def _difference(
    matrix: Matrix, means: tuple[np.ndarray, np.ndarray], a: list[int], b: list[int]
) -> dict[str, float]:
    """The means over the models at ``a`` and at ``b``, their difference with its interval, the samples behind it."""
    mean, resampled = means
    (low,), (high,) = interval((resampled[:, a].mean(1) - resampled[:, b].mean(1))[:, None])
    mean_a, mean_b = mean[a].mean(), mean[b].mean()
    return {
        "mean_a": mean_a,
        "mean_b": mean_b,
        "difference": mean_a - mean_b,
        "ci_low": low,
        "ci_high": high,
        "n": int((matrix.weight[:, a + b] != 0).all(1).sum()),
    }


def _opponents(sides: list[Side]) -> Iterator[tuple[Side, Side]]:
    """Every two models of different families, and every two whole families.

    A model meets a whole family of several only if it is the only one of its own, and so is that family as a whole.
    """
    for a, b in combinations(sides, 2):
        alike = (len(a[1]) > 1) == (len(b[1]) > 1)
        if a[0] != b[0] and (alike or _whole(a[1], b[1], sides)):
            yield a, b


def _sides(models: pd.DataFrame) -> list[Side]:
    """Each model alone, then each family of several models as a whole."""
    single = [(family, (model,)) for model, family in models[["model", "family"]].itertuples(index=False)]
    whole = [
        (str(family), tuple(group["model"])) for family, group in models.groupby("family", observed=True)
    ]
    return single + [side for side in whole if len(side[1]) > 1]


def _whole(a: tuple[str, ...], b: tuple[str, ...], sides: list[Side]) -> bool:
    """Whether one of ``a`` and ``b`` is the only model of its family; the other is a family of several."""
    alone = a if len(a) == 1 else b
    family = next(family for family, names in sides if names == alone)
    return sum(other == family for other, _ in sides) == 1


def _better(direction: str, low: float, high: float, a: str, b: str) -> str:
    if direction not in ("True", "False") or not (low > 0 or high < 0):
        return ""
    return a if (low > 0) == (direction == "True") else b


def _why_missing(cell: Mapping[str, str], states: States) -> dict[str, str]:
    """Why there is no score of the model that ``cell`` names."""
    found = states.get(tuple(cell[name] for name in LABEL))
    if found is None:
        return {"status": "missing", "note": f"{cell['model']} was not asked for"}
    return {"status": found[0], "note": f"{cell['model']}: {found[1]}"}
