"""What a rule compares: the networks of one recipe in one column, on images that all sides have."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..statistics.contrasts import Networks


class Source(NamedTuple):
    """Where the scores of a side are, in the words of the declaration.

    Args:
        recipe: of the networks.
        method: that explains; empty for columns of the networks themselves.
        column: of a metric.
        perturbation: empty for columns without one.
    """

    recipe: str
    method: str
    column: str
    perturbation: str

    @property
    def words(self) -> str:
        """The column, of what and under what."""
        under = f" under {self.perturbation}" if self.perturbation else ""
        return f"{self.column}{f' of {self.method}' if self.method else ''}{under}"


class Side(NamedTuple):
    """The networks of a source.

    Args:
        source: where the scores are.
        networks: names of those that take part, ``S``.
        mean: of each, ``(S,)``.
        influence: of the images, ``(n, S)``, see :class:`~xaiboard.benchmark.statistics.means.Means`.
        score: ``(n, S)``, the greater the better.
        key: of the random numbers by which they are drawn; the same for the same recipe.
    """

    source: Source
    networks: tuple[str, ...]
    mean: np.ndarray
    influence: np.ndarray
    score: np.ndarray
    key: int

    def adds(self, factor: float = 1.0) -> Networks:
        """What it adds to an effect, so often."""
        return Networks(factor * self.mean, factor * self.influence, self.key)
