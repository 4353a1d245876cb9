"""Makes the sides of a comparison from scores, or says why it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ..errors import XaiboardError
from ..statistics.complete import MOST_MISSING, complete
from ..statistics.means import means
from ..toolkit.labels import read_trained
from ..toolkit.wording import counted
from .declaration import ALL, COMMON, HELD
from .evidence import Evidence
from .parts import Part
from .reasons import NotTestable, no_scores
from .sides import Side, Source

_COUNTING = {
    ALL: "the networks have no two images in common",
    COMMON: "the networks are not right together on more",
    HELD: "the networks are not right together on more, with and without the perturbations",
}
"""Why no more images count."""


def sides_of(
    part: Part,
    evidence: Evidence,
    images: np.ndarray | None,
    *,
    sources: Sequence[Source] | None = None,
    plain: bool = False,
) -> list[Side]:
    """The sides of a part, on images that all of their networks have.

    Args:
        part: what is compared.
        evidence: the scores.
        images: those that count; None for all.
        sources: in place of those of the part.
        plain: whether scores are left as they are; else they are turned so that greater is better, or are whether they
            are above the threshold.

    Raises:
        NotTestable: a side has no scores, fewer than two images count, or one network lacks too many of them.
        XaiboardError: networks of a side have scores of different versions.
    """
    sources = part.sources if sources is None else sources
    networks = _networks(part.dataset, sources, evidence)
    found = [
        (name, evidence.find(part.dataset, name, source))
        for source, names in zip(sources, networks, strict=True)
        for name in names
    ]
    scores = [each for _, each in found if each is not None]
    sample = reduce(np.intersect1d, [each.sample for each in scores])
    sample = sample if images is None else np.intersect1d(sample, images)
    if len(sample) < 2:
        raise NotTestable(f"{counted(len(sample), 'image')} left: {_COUNTING[part.on]}", "more images")
    score, weight = (
        np.column_stack(
            [getattr(each, name)[np.searchsorted(each.sample, sample)] for each in scores]
        ).astype(float)
        for name in ("score", "weight")
    )
    weight[~np.isfinite(score)] = 0
    kept, rows = complete(score, weight)
    if not rows.all():
        name = found[int(np.flatnonzero(~rows)[0])][0]
        most = f"{100 * MOST_MISSING:.0f} % of {counted(len(sample), 'image')}"
        raise NotTestable(f"{name} lacks a score on more than {most}", "these scores")
    score, weight = score[kept], weight[kept]
    if not plain:
        score = score if part.beyond is None else (score > part.beyond).astype(float)
        score = -score if part.rule.lower else score
    return _split(part, sources, networks, score, weight)


def _networks(dataset: str, sources: Sequence[Source], evidence: Evidence) -> list[tuple[str, ...]]:
    """Names of the networks of each side: those of a recipe that is on several sides are the same on all.

    Raises:
        NotTestable: a side has none.
        XaiboardError: they have scores of different versions.
    """
    found = [set(evidence.networks(dataset, source)) for source in sources]
    shared = [
        set.intersection(*(own for of, own in zip(sources, found, strict=True) if of.recipe == source.recipe))
        for source in sources
    ]
    if missing := [source for source, own in zip(sources, found, strict=True) if not own] or [
        source for source, own in zip(sources, shared, strict=True) if not own
    ]:
        said = dict.fromkeys(filter(None, (evidence.why_not(dataset, source) for source in missing)))
        raise no_scores(dataset, missing, "; ".join(said))
    for source, names in zip(sources, shared, strict=True):
        versions = {
            name: scores.versions for name in names if (scores := evidence.find(dataset, name, source))
        }
        if len(set(versions.values())) > 1:
            raise XaiboardError(
                f"networks of '{source.recipe}' on {dataset} have scores of {source.column} of different versions; run"
                " all of them with one version"
            )
    return [tuple(sorted(names, key=_seed)) for names in shared]


def _split(
    part: Part,
    sources: Sequence[Source],
    networks: Sequence[tuple[str, ...]],
    score: np.ndarray,
    weight: np.ndarray,
) -> list[Side]:
    found = means(score, weight)
    keys: dict[str, int] = {}
    sides, start = [], 0
    for source, names in zip(sources, networks, strict=True):
        key = keys.setdefault(source.recipe, start)
        own = slice(start, start := start + len(names))
        sides.append(Side(source, names, found.mean[own], found.influence[:, own], score[:, own], key))
    return sides


def _seed(name: str) -> int:
    return read_trained(name).seed
