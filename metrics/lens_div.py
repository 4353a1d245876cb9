"""LENS and top-k intersection of diverse sets, in which no two pixels are within one window."""

from collections.abc import Callable
from functools import partial
from math import inf, prod

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.diverse_pixels import diverse_pixels
from ..benchmark.toolkit.lens_released import flat_dilate
from ..benchmark.toolkit.per_side import in_proportion, sized
from ..benchmark.toolkit.top_pixels import Chosen, dilate, set_size
from .shared.class_null import beside_class, class_columns
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
    return {**overlap_columns(worst), "found": Column(range=(0, inf)), **class_columns()}


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source=SOURCE,
    columns=_columns(LOWEST),
    images=True,
)
def topk_intersection_div(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    class_attributions: Tensor | None = None,
    *,
    top: TopSets = DIVERSE,
) -> dict[str, Tensor | Weighted]:
    """Share of the ``k`` diverse top pixels that both maps have in common, ``(B,)``, in ``[0, 1]``.

    A set is picked greedily: the largest pixel, then the largest outside its window, and so on. If the map is too small
    for ``k`` such pixels, the set is as large as possible, and the share is taken of the smaller set. The magnitude of
    a pixel is the sum of its channels' magnitudes. Values that are equal up to floating-point noise are ties.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        class_attributions: maps of other images of the same class, ``(B, M, C, H, W)`` or ``(B, M, F)``, NaN where
            there are fewer than M; None leaves ``class_chance`` and ``above_class`` out.
        top: the sets of top pixels, and their windows.

    Returns:
        The share. ``chance``: the share for sets at random places. ``above_chance``: the share on a scale from 0 at
        chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude as a pixel outside the set,
        in the map where it is larger. ``found``: number of pixels in the smaller set. ``class_chance``: the mean share
        for maps of other images that are predicted as the same class, in place of the perturbed map. ``above_class``:
        the share on a scale from 0 at that level to 1 at full agreement, averaged with the length of the scale as
        weight.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    top, pick = _picking("topk_intersection_div", attribution, top)
    original = pick(attribution)

    def compared(other: Tensor) -> dict[str, Tensor]:
        perturbed = pick(other)
        found = original.size.minimum(perturbed.size)
        size = found if top.reference == "clean" else _asked(original.pixels, top.k)
        shares = shared_share(perturbed.pixels, original.pixels, size)
        return {**shares, "ties": original.ties.maximum(perturbed.ties), "found": found}

    return beside_class(compared, perturbed_attribution, class_attributions)


@metric(
    family="stability", higher_is_better=True, range=(0, 1), source=SOURCE, columns=_columns(), images=True
)
def lens_recall_div(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    class_attributions: Tensor | None = None,
    *,
    top: TopSets = DIVERSE,
) -> dict[str, Tensor | Weighted]:
    """Share of the perturbed map's diverse pixels near one of the original map's, ``(B,)``, in ``[0, 1]``.

    The ORIGINAL set is dilated, as in the released code. The windows of pixels that lie apart cover the most of the
    map, so the chance level is higher than that of :func:`~xaiboard.metrics.lens.lens_recall`: it is 1 if the set is as
    large as possible.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        class_attributions: maps of other images of the same class, ``(B, M, C, H, W)`` or ``(B, M, F)``, NaN where
            there are fewer than M; None leaves ``class_chance`` and ``above_class`` out.
        top: the sets of top pixels, and their windows, within which a set has no second pixel.

    Returns:
        The share of the pixels that are found. ``chance``: the share for sets at random places. ``above_chance``: the
        share on a scale from 0 at chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude
        as a pixel outside the set, in the map where it is larger. ``found``: number of pixels in the smaller set.
        ``class_chance``: the mean share for maps of other images that are predicted as the same class, in place of the
        perturbed map. ``above_class``: the share on a scale from 0 at that level to 1 at full agreement, averaged with
        the length of the scale as weight.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    top, pick = _picking("lens_recall_div", attribution, top)
    original = pick(attribution)
    return beside_class(
        lambda other: _covered(pick(other), original, top), perturbed_attribution, class_attributions
    )


@metric(
    family="stability", higher_is_better=True, range=(0, 1), source=SOURCE, columns=_columns(), images=True
)
def lens_precision_div(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    class_attributions: Tensor | None = None,
    *,
    top: TopSets = DIVERSE,
) -> dict[str, Tensor | Weighted]:
    """Share of the original map's diverse pixels near one of the perturbed map's, ``(B,)``, in ``[0, 1]``.

    The PERTURBED set is dilated. It is :func:`lens_recall_div` with the two maps swapped.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        class_attributions: maps of other images of the same class, ``(B, M, C, H, W)`` or ``(B, M, F)``, NaN where
            there are fewer than M; None leaves ``class_chance`` and ``above_class`` out.
        top: the sets of top pixels, and their windows, within which a set has no second pixel.

    Returns:
        The share of the pixels that are found. ``chance``: the share for sets at random places. ``above_chance``: the
        share on a scale from 0 at chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude
        as a pixel outside the set, in the map where it is larger. ``found``: number of pixels in the smaller set.
        ``class_chance``: the mean share for maps of other images that are predicted as the same class, in place of the
        perturbed map. ``above_class``: the share on a scale from 0 at that level to 1 at full agreement, averaged with
        the length of the scale as weight.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    top, pick = _picking("lens_precision_div", attribution, top)
    original = pick(attribution)
    return beside_class(
        lambda other: _covered(original, pick(other), top), perturbed_attribution, class_attributions
    )


def _picking(name: str, attribution: Tensor, top: TopSets) -> tuple[TopSets, Callable[[Tensor], Chosen]]:
    """The sets' settings for maps of this size, and what picks the diverse set of a map."""
    top = sized(top, attribution)
    return top, partial(diverse_pixels, k=top.k, window=top.window, metric=name, reference=top.reference)


def _covered(found: Chosen, wide: Chosen, top: TopSets) -> dict[str, Tensor]:
    """Share of the diverse pixels ``found`` that are in the windows around the diverse pixels ``wide``."""
    clean = top.reference == "clean"
    accepted = (dilate if clean else flat_dilate)(wide.pixels, top.window)
    shares = shared_share(found.pixels, accepted, found.size if clean else _asked(found.pixels, top.k))
    return {**shares, "ties": found.ties.maximum(wide.ties), "found": found.size.minimum(wide.size)}


def _asked(pixels: Tensor, k: float) -> int:
    """``k`` as a number of ``pixels (B, H, W)``."""
    return set_size(k, prod(pixels.shape[1:]), "")
