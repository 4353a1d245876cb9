"""What must be true of the scores before anything is said of a claim."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..toolkit.labels import Label
from ..toolkit.patterns import read_pattern
from .declaration import Guard
from .evidence import Evidence
from .measuring import sides_of
from .parts import Part
from .reasons import NotTestable
from .sides import Side, Source


def check(part: Part, guard: Guard, evidence: Evidence, images: np.ndarray | None) -> None:
    """Refuses a part if a condition on means is not met.

    Args:
        part: whose condition it is.
        guard: the condition.
        evidence: the scores.
        images: those of the part.

    Raises:
        NotTestable: it is not met, or what it looks at has no scores.
    """
    images = images if guard.differ_at_most is None else None
    sides = sides_of(part, evidence, images, sources=_sources(part, guard, evidence), plain=True)
    means = [float(side.mean.mean()) for side in sides]
    column, apart = sides[0].source.column, max(means) - min(means)
    each = zip(means, sides, strict=True)
    said = " and ".join(dict.fromkeys(f"{mean:.3g} ({_who(side, sides)})" for mean, side in each))
    if guard.at_least is not None and min(means) < guard.at_least:
        why = f"{column} is {said}, and must be {guard.at_least:g} at least"
        raise NotTestable(why, f"settings with which it reaches {guard.at_least:g}")
    if guard.ceiling is not None and min(means) > guard.ceiling:
        raise NotTestable(
            f"{column} is at its ceiling: {said}", "a harder column, which tells the sides apart"
        )
    if guard.differ_at_most is not None and apart > guard.differ_at_most:
        why = f"{column} differs by {apart:.3g}: {said}"
        raise NotTestable(why, f"networks whose {column} differs by {guard.differ_at_most:g} at most")


def last_doubling(part: Part, half: str, evidence: Evidence, images: np.ndarray | None) -> float:
    """The most by which the last doubling of an attack's steps moved the mean of a side.

    Raises:
        NotTestable: there are no scores with half of the steps.
    """
    name, _, value = half.partition("=")
    halved = [
        source._replace(
            column=replaced(source.column, name, value),
            perturbation=replaced(source.perturbation, name, value),
        )
        for source in part.sources
    ]
    both = sides_of(part, evidence, images, sources=[*part.sources, *halved])
    pairs = zip(both[: len(halved)], both[len(halved) :], strict=True)
    return float(max(abs(full.mean.mean() - less.mean.mean()) for full, less in pairs))


def not_converged(doubling: float, margin: float) -> NotTestable:
    """An attack's last doubling moved a mean by more than the effect is away from the margin."""
    moved = f"the last doubling of its steps moved a mean by {doubling:.2g}"
    why = f"attack not converged: {moved}, and the effect is {margin:.2g} from the margin"
    return NotTestable(why, "an attack with more steps or starts")


def replaced(text: str, name: str, value: str) -> str:
    """A declared name with another value of a setting that it names; the same where it does not."""
    label = read_pattern(text)
    if name not in label.settings:
        return text
    return str(Label(label.name, {**label.settings, name: value}))


def _sources(part: Part, guard: Guard, evidence: Evidence) -> list[Source]:
    """Where a guard looks: at the column of the part, or at another, with as much of the part as that one has."""
    if not guard.column:
        return list(part.sources)
    own = [source._replace(column=guard.column) for source in part.sources]
    fewer = [[source._replace(perturbation="") for source in own]]
    fewer.append([source._replace(method="", perturbation="") for source in own])
    for sources in (own, *fewer):
        if all(evidence.networks(part.dataset, source) for source in sources):
            return sources
    return own


def _who(side: Side, sides: Sequence[Side]) -> str:
    """What tells a side from the others."""
    source = side.source
    for field in ("recipe", "perturbation", "method", "column"):
        if len({getattr(each.source, field) for each in sides}) > 1:
            return getattr(source, field)
    return source.recipe
