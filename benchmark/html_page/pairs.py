"""All differences between methods on each model, and between models under each method, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..report.comparison.contests import contests
from ..report.results import Results
from ..report.standing import differences_of
from ..statistics.differences import Differences
from .names import Names

_STEPS = 65534
"""Into so many steps the reach of intervals is divided; it is rounded up, so that no interval becomes shorter."""

_OPEN = 65535
"""Stands for an interval without a bound."""

EQUAL = 2
"""Said of two rows that differ by rounding alone."""


class _Pairs(NamedTuple):
    """The rows of one column that can be compared, and the differences between them.

    Args:
        names: of the column: data set, model or method, metric, settings and perturbation, and facts of its scores.
        rivals: the methods or models that are compared.
        found: the differences.
    """

    names: Mapping[str, str]
    rivals: list[str]
    found: Differences


def pairs(results: Results, names: Names) -> dict[str, list[dict[str, Any]]]:
    """All pairs of methods and of models: means, how far intervals reach, and verdicts.

    For two rows ``j < k``, in the order of the upper triangle, row by row: ``reach`` below and above the difference
    ``mean_j - mean_k`` (in the direction in which greater is better), and ``verdict``: 1 if ``j`` is beyond doubt
    better, -1 if ``k`` is, 2 if they are equal, 0 if they are not told apart.
    """
    of_kinds = {"method": _of_methods(results), "model": _of_models(results)}
    return {
        kind: [_packed(one, kind, names) for one in some if len(one.rivals) > 1]
        for kind, some in of_kinds.items()
    }


def _of_methods(results: Results) -> Iterator[_Pairs]:
    """As the leaderboard's ranks have them."""
    words = results.blocks.words["method"]
    for one, found in differences_of(results.blocks, results.standings, results.glossary):
        compared = one.places[one.ranks.compared] if one.ranks else one.places
        yield _Pairs(results.blocks.facts(one.places[0]), list(words[compared]), found)


def _of_models(results: Results) -> Iterator[_Pairs]:
    everything = np.ones(len(results.blocks.rows), dtype=bool)
    for one in contests(results.blocks, results.glossary, "model", everything):
        compared = [name for name, there in zip(one.rivals, one.column.rows, strict=True) if there]
        yield _Pairs(one.names, compared, one.found)


def _packed(one: _Pairs, kind: str, names: Names) -> dict[str, Any]:
    places = names.method_at if kind == "method" else names.model_at
    found, sign = one.found, 1 if one.names["higher_is_better"] == "True" else -1
    j, k = np.triu_indices(len(one.rivals), 1)
    below, above = (found.effect - found.low)[j, k], (found.high - found.effect)[j, k]
    verdict = found.better[j, k].astype("i1") - found.better[k, j].astype("i1")
    verdict[(below == 0) & (above == 0) & (found.effect[j, k] == 0)] = EQUAL
    finite = [values[np.isfinite(values)] for values in (below, above)]
    step = max((float(values.max(initial=0)) for values in finite), default=0.0) / _STEPS or 1.0
    same = bool(np.allclose(below, above, rtol=1e-9, equal_nan=True))
    return {
        "dataset": names.dataset_at[one.names["dataset"]],
        "other": names.model_at[one.names["model"]]
        if kind == "method"
        else names.method_at[one.names["method"]],
        "column": names.column_at[one.names["metric"], one.names["settings"], one.names["perturbation"]],
        "sign": sign,
        "n": found.n,
        "rivals": np.array([places[name] for name in one.rivals], "i2"),
        "mean": (sign * found.mean).astype("f4"),
        "step": step,
        "below": _steps(below, step),
        "above": None if same else _steps(above, step),
        "verdict": verdict.astype("i1"),
    }


def _steps(reach: np.ndarray, step: float) -> np.ndarray:
    finite = np.isfinite(reach)
    steps = np.ceil(np.where(finite, reach, 0) / step)
    return np.where(finite, np.minimum(steps, _STEPS), _OPEN).astype("u2")
