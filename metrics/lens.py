"""LENS: top-k intersection that forgives moves within a small window."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.lens_released import flat_dilate
from ..benchmark.toolkit.top_pixels import Arithmetic, dilate, top_pixels
from .shared.overlap import COLUMNS, shared_share

SOURCE = "Kamath et al. 2024, arXiv:2312.10534; windows cut at the border, ties to the lowest flat index"


@metric(
    family="stability",
    higher_is_better=True,
    source=SOURCE,
    columns=COLUMNS,
    roles=["overlap of top pixels within a window"],
)
def lens_recall(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    *,
    k: float = 100.0,
    window: int = 1,
    reference: Arithmetic = "clean",
) -> dict[str, Tensor]:
    """Share of the perturbed map's top ``k`` pixels near one of the original map's, ``(B,)``, in ``[0, 1]``.

    The ORIGINAL set is dilated, as in the released code: a pixel counts when it is at most ``window`` rows and
    columns from it. A pixel's magnitude is the sum of its channels' magnitudes; values equal up to floating-point
    noise are ties, which go to the lowest flat index.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set, or, below 1, the share of the pixels.
        window: radius of the square neighbourhood, in pixels: its side is ``2 * window + 1``.
        reference: ``clean``, or ``released`` for the arithmetic of the released code, whose windows run over the
            border into the next row and never hold pixel 0, and whose ties go to the highest flat index.

    Returns:
        The share; ``chance``, that of a random perturbed set, which grows fast with ``k`` and ``window``;
        ``above_chance``, 0 at chance and 1 at best; ``ties``, the share of a set that has the magnitude of a pixel
        outside it, in the map where it is greater.

    Raises:
        XaiboardError: no set of the map's pixels has ``k`` of them, or ``window`` is negative.
    """
    return _covered("lens_recall", perturbed_attribution, attribution, k, window, reference)


@metric(family="stability", higher_is_better=True, source=SOURCE, columns=COLUMNS)
def lens_precision(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    *,
    k: float = 100.0,
    window: int = 1,
    reference: Arithmetic = "clean",
) -> dict[str, Tensor]:
    """Share of the original map's top ``k`` pixels near one of the perturbed map's, ``(B,)``, in ``[0, 1]``.

    The PERTURBED set is dilated; the rest is as in :func:`lens_recall`, whose value it is with the maps swapped.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set, or, below 1, the share of the pixels.
        window: radius of the square neighbourhood, in pixels: its side is ``2 * window + 1``.
        reference: ``clean``, or ``released`` for the arithmetic of the released code.

    Returns:
        The share; ``chance``, that of a random original set; ``above_chance``, 0 at chance and 1 at best; ``ties``,
        as for :func:`lens_recall`.

    Raises:
        XaiboardError: no set of the map's pixels has ``k`` of them, or ``window`` is negative.
    """
    return _covered("lens_precision", attribution, perturbed_attribution, k, window, reference)


def _covered(
    name: str, found: Tensor, wide: Tensor, k: float, window: int, reference: Arithmetic
) -> dict[str, Tensor]:
    """Share of the top pixels of ``found`` in the windows of those of ``wide``."""
    at_least(0, name, window=window)
    one, other = (top_pixels(a, k, name, reference) for a in (found, wide))
    spread = dilate if reference == "clean" else flat_dilate
    accepted = spread(other.pixels, window)
    return {**shared_share(one.pixels, accepted, one.size), "ties": one.ties.maximum(other.ties)}
