"""LENS: top-k intersection that forgives moves of pixels within a small window."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.lens_released import flat_dilate
from ..benchmark.toolkit.per_side import sized
from ..benchmark.toolkit.top_pixels import dilate, top_pixels
from .shared.overlap import overlap_columns, shared_share
from .shared.top_sets import TopSets

SOURCE = "Kamath et al. 2024, arXiv:2312.10534; windows cut at the border, ties to the lowest flat index"


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source=SOURCE,
    columns=overlap_columns(),
    roles=["overlap of top pixels within a window"],
    images=True,
)
def lens_recall(
    attribution: Tensor, perturbed_attribution: Tensor, *, top: TopSets = TopSets()
) -> dict[str, Tensor]:
    """Share of the perturbed map's top ``k`` pixels near one of the original map's, ``(B,)``, in ``[0, 1]``.

    The ORIGINAL set is dilated, as in the released code: a perturbed pixel counts if it is at most ``window`` rows and
    columns away from an original one. The magnitude of a pixel is the sum of its channels' magnitudes. Values that are
    equal up to floating-point noise are ties.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        top: the sets of top pixels, and their windows.

    Returns:
        The share. ``chance``: the share for a random perturbed set, which grows fast with ``k`` and ``window``.
        ``above_chance``: the share on a scale from 0 at chance to 1 at full agreement. ``ties``: share of a set that
        has the same magnitude as a pixel outside the set, in the map where it is larger.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    return _covered("lens_recall", perturbed_attribution, attribution, top)


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source=SOURCE,
    columns=overlap_columns(),
    images=True,
)
def lens_precision(
    attribution: Tensor, perturbed_attribution: Tensor, *, top: TopSets = TopSets()
) -> dict[str, Tensor]:
    """Share of the original map's top ``k`` pixels near one of the perturbed map's, ``(B,)``, in ``[0, 1]``.

    The PERTURBED set is dilated. It is :func:`lens_recall` with the two maps swapped.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        top: the sets of top pixels, and their windows.

    Returns:
        The share. ``chance``: the share for a random original set. ``above_chance``: the share on a scale from 0 at
        chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude as a pixel outside the set,
        in the map where it is larger.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    return _covered("lens_precision", attribution, perturbed_attribution, top)


def _covered(name: str, found: Tensor, wide: Tensor, top: TopSets) -> dict[str, Tensor]:
    """Share of the top pixels of the map ``found`` in the windows around those of the map ``wide``."""
    top = sized(top, found)
    one, other = (top_pixels(a, top.k, name, top.reference) for a in (found, wide))
    spread = dilate if top.reference == "clean" else flat_dilate
    accepted = spread(other.pixels, top.window)
    return {**shared_share(one.pixels, accepted, one.size), "ties": one.ties.maximum(other.ties)}
