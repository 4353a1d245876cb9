"""Every column that has a direction prefers what is better by theory, and every metric of maps is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import metrics

DIRECTED = {
    name: [column for column in ("", *entry.columns) if entry.column(column).higher_is_better is not None]
    for name, entry in sorted(metrics.items())
    if entry.family != "model" and not entry.library
}

Scores = dict[str, Tensor]


UNSIGNED = {"infidelity", "monotonicity_nguyen"}
"""Faithfulness that does not tell a map from its negative."""

ON_ANY_ORDER = {"monotonicity_arya"}
"""On a linear model as many steps rise in one order as in another: its own tests have a model where they do not."""

OF_MAPS = [name for name, columns in DIRECTED.items() if columns and metrics[name].family != "perturbation"]
"""Metrics with a direction that judge a map; those of the perturbed image have it in their own tests."""


def column_mean(scores: Scores, column: str) -> float:
    """The mean over samples; of a weighted column, the weighted one."""
    if f"{column} weight" in scores:
        return float(scores[f"{column} product"].sum() / scores[f"{column} weight"].sum())
    return float(scores[column].mean())


def noise(x: Tensor, seed: int = 7) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)


def faithful(bed: Any, name: str) -> tuple[Scores, Scores]:  # noqa: ANN401 - of conftest
    """What each pixel adds to the logit, and the same with the signs turned, or noise where signs do not count."""
    worse = noise(bed.x) if name in UNSIGNED else -bed.exact
    return bed.score(name, bed.exact), bed.score(name, worse)


def stable(bed: Any, name: str) -> tuple[Scores, Scores]:  # noqa: ANN401
    """A map that the perturbation leaves as it is, and one that is another everywhere."""
    a, few = noise(bed.x), {"k": 5.0} if "k" in metrics[name].settings else {}
    good = bed.score(name, a, perturbed=a, explain=lambda z, **_: a, **few)
    return good, bed.score(name, a, perturbed=noise(a, 8), explain=lambda z, **_: (1e4 * z).sin(), **few)


def simple(bed: Any, name: str) -> tuple[Scores, Scores]:  # noqa: ANN401
    """One pixel, and noise."""
    spike = torch.zeros_like(bed.x)
    spike[:, :, 3, 3] = 1
    return bed.score(name, spike), bed.score(name, noise(bed.x).abs())


def localised(bed: Any, name: str) -> tuple[Scores, Scores]:  # noqa: ANN401
    """Inside of the mask, and outside."""
    inside, outside = (noise(bed.x).abs() * part for part in (bed.mask, ~bed.mask))
    return bed.score(name, inside), bed.score(name, outside)


def sane(bed: Any, name: str) -> tuple[Scores, Scores]:  # noqa: ANN401
    """A map that depends on the model and the class, and one that depends on neither."""
    a = bed.exact.abs()

    def depends(z: Tensor, model: Any = None, target: Any = None) -> Tensor:  # noqa: ANN401
        return a if model is None and target is None else noise(z, 9).abs()

    return bed.score(name, a, explain=depends), bed.score(name, a, explain=lambda z, **_: a)


BY_FAMILY: dict[str, Callable[..., tuple[Scores, Scores]]] = {
    "faithfulness": faithful,
    "stability": stable,
    "complexity": simple,
    "localisation": localised,
    "sanity": sane,
}


@pytest.mark.parametrize("name", OF_MAPS)
def test_the_better_map_scores_better(bed: Any, name: str) -> None:  # noqa: ANN401
    if name in ON_ANY_ORDER:
        pytest.skip("every order of a linear model has as many rising steps")
    entry = metrics[name]
    better, worse = BY_FAMILY[entry.family](bed, name)
    for column in DIRECTED[name]:
        good, bad = column_mean(better, column), column_mean(worse, column)
        gap = good - bad if entry.column(column).higher_is_better else bad - good
        assert gap > 0.01 * max(abs(good), abs(bad)), column
