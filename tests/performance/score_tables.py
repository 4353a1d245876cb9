"""Tables of scores of which is known who is better: equal methods, and a ladder of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from xaiboard.benchmark.toolkit.score_ranges import UNBOUNDED


class Kind(NamedTuple):
    """How scores are distributed.

    Args:
        draw: scores ``(n, M)`` of methods whose true means are equal where their heights are, and ordered as these;
            given the generator, ``n``, and the heights ``(M,)`` in ``[0, 1]``.
        bounds: the declared range of the scores.
    """

    draw: Callable[[np.random.Generator, int, np.ndarray], np.ndarray]
    bounds: tuple[float, float] = UNBOUNDED


class Table(NamedTuple):
    """Scores ``(n, M)``, NaN where they are missing, weights ``(n, M)``, and the order of the true means ``(M,)``."""

    score: np.ndarray
    weight: np.ndarray
    height: np.ndarray


def _normal(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    return rng.normal(size=(n, 1)) + rng.normal(size=(n, len(height))) + height


def _exponential(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    return rng.exponential(size=(n, len(height))) + height


def _lognormal(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    return np.exp(rng.normal(size=(n, len(height)))) + height


def _ties(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    return np.rint(rng.normal(size=(n, len(height))) + height)


def _binary(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    return (rng.uniform(size=(n, len(height))) < 0.3 + 0.4 * height).astype(float)


def _seldom(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    return (rng.uniform(size=(n, len(height))) < 0.02 + 0.2 * height).astype(float)


def _degenerate(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    """Uniform scores, but every third method gives its mean for every sample."""
    score = rng.uniform(size=(n, len(height)))
    score[:, ::3] = 0.5
    return score + 0.29 * height


def _opposite(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    """Exponential scores, every other method turned round."""
    return (rng.exponential(size=(n, len(height))) - 1) * _turns(height) + height


def _opposite_lognormal(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    return (np.exp(rng.normal(size=(n, len(height)))) - math.exp(0.5)) * _turns(height) + height


def _spreads(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    """Exponential scores whose spreads reach from .22 to 4.5, in no order."""
    spread = np.exp(np.random.default_rng(0).permutation(np.linspace(-1.5, 1.5, len(height))))
    return (rng.exponential(size=(n, len(height))) - 1) * spread + height


def _rare(rng: np.random.Generator, n: int, height: np.ndarray) -> np.ndarray:
    """Every other method scores 1 on 1 % of the samples, the others .02 on half of them."""
    drawn = rng.uniform(size=(n, len(height)))
    return np.where(_turns(height) > 0, drawn < 0.01, 0.02 * (drawn < 0.5)) + 0.5 * height


def _turns(height: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(height)) % 2, -1, 1)


KINDS = {
    "normal": Kind(_normal),
    "exponential": Kind(_exponential),
    "lognormal": Kind(_lognormal),
    "ties": Kind(_ties),
    "binary": Kind(_binary, (0, 1)),
    "binary, 2 %": Kind(_seldom, (0, 1)),
    "constant rows": Kind(_degenerate, (0, 1.29)),
    "opposite exponential": Kind(_opposite),
    "opposite lognormal": Kind(_opposite_lognormal),
    "unequal spread": Kind(_spreads),
    "rare events": Kind(_rare, (0, 1.5)),
}


def equal(methods: int) -> np.ndarray:
    """No method is better than another."""
    return np.zeros(methods)


def ladder(methods: int) -> np.ndarray:
    """Pairs of equal methods, from 0 to 1."""
    return np.arange(methods) // 2 / max((methods - 1) // 2, 1)


def table(
    rng: np.random.Generator, kind: Kind, n: int, height: np.ndarray, *, weighted: bool, missing: bool
) -> Table:
    """Scores of one column.

    Args:
        rng: generator.
        kind: how scores are distributed.
        n: samples.
        height: of each method, ``(M,)``.
        weighted: whether samples have weights, exponential ones that differ a little between methods.
        missing: whether each method lacks the hardest of the samples, from 0 to 10 % of them.
    """
    score = kind.draw(rng, n, height)
    weight = np.ones_like(score)
    if weighted:
        weight = rng.exponential(size=(n, 1)) * rng.uniform(0.5, 1.5, size=score.shape)
    if missing:
        hardest = np.argsort(rng.normal(size=n))
        for method, count in enumerate(rng.uniform(0, 0.1 * n, size=len(height)).astype(int)):
            score[hardest[:count], method] = np.nan
    return Table(score, weight, height)
