"""LENS and top-k intersection of diverse sets, in which no two pixels are within one window."""

from math import inf

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.diverse_pixels import diverse_pixels
from ..benchmark.toolkit.lens_released import flat_dilate
from ..benchmark.toolkit.per_side import in_proportion, sized
from ..benchmark.toolkit.pixels import channels
from ..benchmark.toolkit.top_pixels import dilate, set_size
from .shared.overlap import overlap_columns, shared_share
from .shared.top_sets import TopSets

SOURCE = (
    "Kamath et al. 2024, arXiv:2312.10534; windows cut at the border, divided by the pixels that are found"
)
DIVERSE = TopSets(k=100.0, window=in_proportion(1))
"""Sets of 100 pixels at every size of the images: their windows grow in proportion, and cover about the same share."""

LOWEST = -2
"""Smallest ``topk_intersection_div.above_chance``: two of three pixels in a row lie apart, and chance is 2/3; larger
sets of pixels that lie apart are a smaller share of the pixels."""


def _columns(worst: float = -inf) -> dict[str, Column]:
    return {**overlap_columns(worst), "found": Column(range=(0, inf))}


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source=SOURCE,
    columns=_columns(LOWEST),
    images=True,
)
def topk_intersection_div(
    attribution: Tensor, perturbed_attribution: Tensor, *, top: TopSets = DIVERSE
) -> dict[str, Tensor]:
    """Share of the ``k`` diverse top pixels that both maps have in common, ``(B,)``, in ``[0, 1]``.

    A set is picked greedily: the largest pixel, then the largest outside its window, and so on. If the map is too small
    for ``k`` such pixels, the set is as large as possible, and the share is taken of the smaller set. The magnitude of
    a pixel is the sum of its channels' magnitudes. Values that are equal up to floating-point noise are ties.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        top: the sets of top pixels, and their windows.

    Returns:
        The share. ``chance``: the share for sets at random places. ``above_chance``: the share on a scale from 0 at
        chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude as a pixel outside the set,
        in the map where it is larger. ``found``: number of pixels in the smaller set.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    top = sized(top, attribution)
    sets = [
        diverse_pixels(a, top.k, top.window, "topk_intersection_div", top.reference)
        for a in (attribution, perturbed_attribution)
    ]
    original, perturbed = sets
    found = original.size.minimum(perturbed.size)
    size = found if top.reference == "clean" else _asked(attribution, top.k)
    shares = shared_share(perturbed.pixels, original.pixels, size)
    return {**shares, "ties": original.ties.maximum(perturbed.ties), "found": found}


@metric(
    family="stability", higher_is_better=True, range=(0, 1), source=SOURCE, columns=_columns(), images=True
)
def lens_recall_div(
    attribution: Tensor, perturbed_attribution: Tensor, *, top: TopSets = DIVERSE
) -> dict[str, Tensor]:
    """Share of the perturbed map's diverse pixels near one of the original map's, ``(B,)``, in ``[0, 1]``.

    The ORIGINAL set is dilated, as in the released code. The windows of pixels that lie apart cover the most of the
    map, so the chance level is higher than that of :func:`~xaiboard.metrics.lens.lens_recall`: it is 1 if the set is as
    large as possible.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        top: the sets of top pixels, and their windows, within which a set has no second pixel.

    Returns:
        The share of the pixels that are found. ``chance``: the share for sets at random places. ``above_chance``: the
        share on a scale from 0 at chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude
        as a pixel outside the set, in the map where it is larger. ``found``: number of pixels in the smaller set.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    return _covered("lens_recall_div", perturbed_attribution, attribution, top)


@metric(
    family="stability", higher_is_better=True, range=(0, 1), source=SOURCE, columns=_columns(), images=True
)
def lens_precision_div(
    attribution: Tensor, perturbed_attribution: Tensor, *, top: TopSets = DIVERSE
) -> dict[str, Tensor]:
    """Share of the original map's diverse pixels near one of the perturbed map's, ``(B,)``, in ``[0, 1]``.

    The PERTURBED set is dilated. It is :func:`lens_recall_div` with the two maps swapped.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        top: the sets of top pixels, and their windows, within which a set has no second pixel.

    Returns:
        The share of the pixels that are found. ``chance``: the share for sets at random places. ``above_chance``: the
        share on a scale from 0 at chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude
        as a pixel outside the set, in the map where it is larger. ``found``: number of pixels in the smaller set.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    return _covered("lens_precision_div", attribution, perturbed_attribution, top)


def _covered(name: str, found: Tensor, wide: Tensor, top: TopSets) -> dict[str, Tensor]:
    """Share of the diverse pixels of the map ``found`` in the windows around those of the map ``wide``."""
    top = sized(top, found)
    one, other = (diverse_pixels(a, top.k, top.window, name, top.reference) for a in (found, wide))
    clean = top.reference == "clean"
    accepted = (dilate if clean else flat_dilate)(other.pixels, top.window)
    shares = shared_share(one.pixels, accepted, one.size if clean else _asked(found, top.k))
    return {
        **shares,
        "ties": one.ties.maximum(other.ties),
        "found": one.size.minimum(other.size),
    }


def _asked(attribution: Tensor, k: float) -> int:
    """``k`` as a number of pixels."""
    return set_size(k, channels(attribution).shape[2], "")
