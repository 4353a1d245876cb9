"""The images on which a claim is judged: chosen by predictions alone, one set for all of its networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

import numpy as np

from .declaration import ALL, COMMON, HELD
from .evidence import Evidence
from .parts import Part
from .run import Scores


class Images:
    """The images that count in some parts.

    Args:
        parts: whose networks and perturbations have a say.
        evidence: their scores.
    """

    def __init__(self, parts: Sequence[Part], evidence: Evidence) -> None:
        self._parts, self._evidence = parts, evidence
        self._known: dict[tuple[str, str], np.ndarray] = {}

    def of(self, part: Part) -> np.ndarray | None:
        """The numbers of the images that count in a part, ascending; None for all."""
        if part.on == ALL:
            return None
        return self._of(part.dataset, part.on)

    def _of(self, dataset: str, on: str) -> np.ndarray:
        if (dataset, on) not in self._known:
            choose = {COMMON: self._common, HELD: self._held}[on]
            self._known[dataset, on] = choose(dataset)
        return self._known[dataset, on]

    def _common(self, dataset: str) -> np.ndarray:
        """Images that every network classifies correctly, as far as its scores say on which it does."""
        right: dict[str, list[np.ndarray]] = defaultdict(list)
        for network, _, scores in self._scores(dataset):
            right[network].append(scores.sample[scores.correct.astype(bool)])
        return _in_all(reduce(np.union1d, samples) for samples in right.values())

    def _held(self, dataset: str) -> np.ndarray:
        """Of these, those that every network still classifies so under each perturbation."""
        kept = [scores.sample[scores.weight != 0] for _, held, scores in self._scores(dataset) if held]
        return _in_all([self._of(dataset, COMMON), *kept])

    def _scores(self, dataset: str) -> Iterator[tuple[str, bool, Scores]]:
        """Each network with its scores in each column, and whether a perturbation is in them."""
        for source in dict.fromkeys(
            source for part in self._parts if part.dataset == dataset for source in part.sources
        ):
            for network in self._evidence.networks(dataset, source):
                scores = self._evidence.find(dataset, network, source)
                if scores is not None:
                    yield network, bool(source.perturbation), scores


def _in_all(sets: Iterable[np.ndarray]) -> np.ndarray:
    every = list(sets)
    return reduce(np.intersect1d, every) if every else np.array([], dtype=np.int64)
