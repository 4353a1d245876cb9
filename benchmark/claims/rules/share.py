"""The share of the images on which one side is above another."""

from __future__ import annotations

from collections.abc import Sequence

from ...statistics.contrasts import Contrast, Networks
from ...statistics.effects import Effect
from ..declaration import Rule
from ..sides import Side
from .differences import TAKES
from .registry import rule


@rule("share", needs=("datasets", "a", "b", "columns"), takes=TAKES, compares="twins")
def share(sides: Sequence[Side], _: Rule) -> Effect:
    """Mean over images and over all pairs of a network of the first with one of the second.

    Its variance is that of its projections: on each network of the first, on each of the second, on each image.
    """
    one, other = sides
    above = (one.score[:, :, None] > other.score[:, None, :]).astype(float)  # (n, S, T)
    first, second = above.mean(2), above.mean(1)
    value = above.mean()
    of_first = Networks(first.mean(0), first - first.mean(0), one.key)
    of_second = Networks(second.mean(0) - value, 0 * second, other.key)
    return Effect((Contrast((of_first, of_second)),))
