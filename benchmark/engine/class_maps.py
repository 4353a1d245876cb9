"""Maps of other images of the same class: those of background images, which do not depend on the samples of a run."""

from __future__ import annotations

from math import nan

from torch import Tensor

FIRST_ID = 2**32
"""Background images draw random numbers as samples from this number on, which no sample of a split has."""

OTHERS = 5
"""Number of other images of its class that a sample is compared with, at most."""

LOGITS, MAPS = "background_logits", "background_attribution"
"""First part of the keys of what is computed once for all samples, however many there are."""


def of_same_class(maps: Tensor, predicted: Tensor, target: Tensor) -> Tensor:
    """For each sample, the maps of the first background images that are predicted as its class, ``(B, M, ...)``.

    There are at most ``OTHERS`` of them. Where there are fewer, maps of NaN stand for the others.

    Args:
        maps: of all background images, ``(N, ...)``.
        predicted: their classes, ``(N,)``.
        target: classes of the samples, ``(B,)``.
    """
    same = predicted == target[:, None]
    first = same.int().argsort(dim=1, descending=True, stable=True)[:, :OTHERS]
    missing = ~same.gather(1, first)
    return maps[first].masked_fill(missing.view(*missing.shape, *[1] * (maps.dim() - 1)), nan)
