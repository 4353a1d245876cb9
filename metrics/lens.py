"""LENS: top-k intersection that forgives moves of pixels within a small window."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Weighted
from ..benchmark.toolkit.lens_released import flat_dilate
from ..benchmark.toolkit.per_side import sized
from ..benchmark.toolkit.top_pixels import Chosen, dilate, top_pixels
from .shared.class_null import beside_class, class_columns
from .shared.overlap import overlap_columns, shared_share
from .shared.top_sets import TopSets

SOURCE = "Kamath et al. 2024, arXiv:2312.10534; windows cut at the border, ties to the lowest flat index"


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source=SOURCE,
    columns={**overlap_columns(), **class_columns()},
    roles=["overlap of top pixels within a window"],
    images=True,
)
def lens_recall(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    class_attributions: Tensor | None = None,
    *,
    top: TopSets = TopSets(),
) -> dict[str, Tensor | Weighted]:
    """Share of the perturbed map's top ``k`` pixels near one of the original map's, ``(B,)``, in ``[0, 1]``.

    The ORIGINAL set is dilated, as in the released code: a perturbed pixel counts if it is at most ``window`` rows and
    columns away from an original one. The magnitude of a pixel is the sum of its channels' magnitudes. Values that are
    equal up to floating-point noise are ties.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        class_attributions: maps of other images of the same class, ``(B, M, C, H, W)`` or ``(B, M, F)``, NaN where
            there are fewer than M; None leaves ``class_chance`` and ``above_class`` out.
        top: the sets of top pixels, and their windows.

    Returns:
        The share. ``chance``: the share for a random perturbed set, which grows fast with ``k`` and ``window``.
        ``above_chance``: the share on a scale from 0 at chance to 1 at full agreement. ``ties``: share of a set that
        has the same magnitude as a pixel outside the set, in the map where it is larger. ``class_chance``: the mean
        share for maps of other images that are predicted as the same class, in place of the perturbed map.
        ``above_class``: the share on a scale from 0 at that level to 1 at full agreement, averaged with the length of
        the scale as weight.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    top, pick = _picking("lens_recall", attribution, top)
    original = pick(attribution)
    return beside_class(
        lambda other: _covered(pick(other), original, top), perturbed_attribution, class_attributions
    )


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source=SOURCE,
    columns={**overlap_columns(), **class_columns()},
    images=True,
)
def lens_precision(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    class_attributions: Tensor | None = None,
    *,
    top: TopSets = TopSets(),
) -> dict[str, Tensor | Weighted]:
    """Share of the original map's top ``k`` pixels near one of the perturbed map's, ``(B,)``, in ``[0, 1]``.

    The PERTURBED set is dilated. It is :func:`lens_recall` with the two maps swapped.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        class_attributions: maps of other images of the same class, ``(B, M, C, H, W)`` or ``(B, M, F)``, NaN where
            there are fewer than M; None leaves ``class_chance`` and ``above_class`` out.
        top: the sets of top pixels, and their windows.

    Returns:
        The share. ``chance``: the share for a random original set. ``above_chance``: the share on a scale from 0 at
        chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude as a pixel outside the set,
        in the map where it is larger. ``class_chance``: the mean share for maps of other images that are predicted as
        the same class, in place of the perturbed map. ``above_class``: the share on a scale from 0 at that level to 1
        at full agreement, averaged with the length of the scale as weight.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    top, pick = _picking("lens_precision", attribution, top)
    original = pick(attribution)
    return beside_class(
        lambda other: _covered(original, pick(other), top), perturbed_attribution, class_attributions
    )


def _picking(name: str, attribution: Tensor, top: TopSets) -> tuple[TopSets, Callable[[Tensor], Chosen]]:
    """The sets' settings for maps of this size, and what picks the set of a map."""
    top = sized(top, attribution)
    return top, partial(top_pixels, k=top.k, metric=name, reference=top.reference)


def _covered(found: Chosen, wide: Chosen, top: TopSets) -> dict[str, Tensor]:
    """Share of the pixels ``found`` that are in the windows around the pixels ``wide``."""
    spread = dilate if top.reference == "clean" else flat_dilate
    accepted = spread(wide.pixels, top.window)
    return {**shared_share(found.pixels, accepted, found.size), "ties": found.ties.maximum(wide.ties)}
