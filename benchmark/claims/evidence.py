"""The scores of several runs together: where two have the same, they must be equal."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import combinations

import numpy as np

from ..errors import XaiboardError
from ..report.comparison.equal import LIKE, check_images
from ..toolkit.labels import read_trained
from .run import Run, Scores
from .sides import Source


class Evidence:
    """The scores of runs, in an order that does not depend on that in which they are given.

    Args:
        runs: they are of the same images and the same networks, as far as they have these in common.

    Raises:
        XaiboardError: they are not.
    """

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs = sorted(runs, key=lambda run: run.name)
        for one, other in combinations(self.runs, 2):
            check_images(one.results, other.results)
            for (dataset, network), weights in one.networks.items():
                if len({weights, other.networks.get((dataset, network), "")} - {""}) > 1:
                    raise XaiboardError(
                        f"'{network}' on {dataset} has other weights in '{one.name}' than in '{other.name}'; name runs"
                        " of the same networks"
                    )
        self._known: dict[tuple[str, str, Source], Scores | None] = {}

    def networks(self, dataset: str, source: Source) -> tuple[str, ...]:
        """The networks of the source's recipe that have scores there, by their seeds."""
        names = {
            name
            for run in self.runs
            for of, name in run.networks
            if of == dataset and read_trained(name).recipe == source.recipe
        }
        ordered = sorted(names, key=lambda name: read_trained(name).seed)
        return tuple(name for name in ordered if self.find(dataset, name, source) is not None)

    def find(self, dataset: str, network: str, source: Source) -> Scores | None:
        """The scores of one network, of all images that any run has; None where no run has any.

        Raises:
            XaiboardError: two runs have other scores for the same image, or scores of other versions.
        """
        key = (dataset, network, source)
        if key not in self._known:
            found = [(run.name, scores) for run in self.runs if (scores := run.find(*key)) is not None]
            self._known[key] = (
                reduce(lambda one, other: _joined(key, one, other), found)[1] if found else None
            )
        return self._known[key]

    def why_not(self, dataset: str, source: Source) -> str:
        """Why a recipe has no scores there, as far as a run says so; empty otherwise."""
        said = (run.why_not(dataset, source.recipe, source) for run in self.runs)
        return "; ".join(dict.fromkeys(filter(None, said)))


def _joined(
    key: tuple[str, str, Source], one: tuple[str, Scores], other: tuple[str, Scores]
) -> tuple[str, Scores]:
    """The scores of both; where they differ by rounding, the lower counts."""
    (first, a), (second, b) = one, other
    dataset, network, source = key
    what = f"'{network}' on {dataset} has other scores of {source.words} in '{second}' than in '{first}'"
    if a.versions != b.versions:
        raise XaiboardError(f"{what}, of another version; name runs of one version")
    _, at, there = np.intersect1d(a.sample, b.sample, assume_unique=True, return_indices=True)
    same = a.correct[at] == b.correct[there]
    for one_run, other_run in ((a.score[at], b.score[there]), (a.weight[at], b.weight[there])):
        same &= np.isclose(one_run, other_run, equal_nan=True, rtol=LIKE["rtol"], atol=LIKE["atol"])
    if not same.all():
        sample = a.sample[at][~same][0]
        raise XaiboardError(f"{what}, as for image {sample}; name one of the two runs, or mend the other")
    sample = np.union1d(a.sample, b.sample)
    score, weight, correct = (
        _merged(sample, a.sample, getattr(a, name), b.sample, getattr(b, name))
        for name in ("score", "weight", "correct")
    )
    return first, Scores(sample, score, weight, correct > 0, a.versions)


def _merged(
    sample: np.ndarray, first: np.ndarray, one: np.ndarray, second: np.ndarray, other: np.ndarray
) -> np.ndarray:
    values = np.full((2, len(sample)), np.inf)
    for row, at, of in zip(values, (first, second), (one, other), strict=True):
        row[np.searchsorted(sample, at)] = of
    return values.min(0)
