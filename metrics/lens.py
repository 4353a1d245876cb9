"""LENS: top-k intersection that forgives moves within a small window."""

from torch import Tensor

from ..benchmark.components import Column
from ..benchmark.errors import at_least
from ..benchmark.registry import metric
from .overlap import dilate, shared_share, top_pixels

COLUMNS = {"chance": Column(), "above_chance": Column(higher_is_better=True, across_models=True)}
SOURCE = "Kamath et al. 2024, arXiv:2312.10534; windows cut at the border, ties to the lowest flat index"


@metric(family="stability", higher_is_better=True, source=SOURCE, columns=COLUMNS)
def lens_recall(
    attribution: Tensor, perturbed_attribution: Tensor, *, k: int = 100, window: int = 1
) -> dict[str, Tensor]:
    """Share of the perturbed map's top ``k`` pixels near one of the original map's, ``(B,)``, in ``[0, 1]``.

    The ORIGINAL set is dilated: a pixel counts when it is at most ``window`` rows and columns from it. A pixel's
    magnitude is the sum of its channels' magnitudes; values equal up to floating-point noise are ties, which go
    to the lowest flat index.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set.
        window: radius of the square neighbourhood, in pixels: its side is ``2 * window + 1``.

    Returns:
        The share; ``chance``, that of a random perturbed set, which grows fast with ``k`` and ``window``;
        ``above_chance``, 0 at chance and 1 at best.

    Raises:
        XaiboardError: ``k`` is smaller than 1 or greater than the number of pixels, or ``window`` is negative.
    """
    at_least(0, "lens_recall", window=window)
    original = top_pixels(attribution, k, "lens_recall")
    perturbed = top_pixels(perturbed_attribution, k, "lens_recall")
    return shared_share(perturbed, dilate(original, window), k)


@metric(family="stability", higher_is_better=True, source=SOURCE, columns=COLUMNS)
def lens_precision(
    attribution: Tensor, perturbed_attribution: Tensor, *, k: int = 100, window: int = 1
) -> dict[str, Tensor]:
    """Share of the original map's top ``k`` pixels near one of the perturbed map's, ``(B,)``, in ``[0, 1]``.

    The PERTURBED set is dilated; the rest is as in :func:`lens_recall`, whose value it is with the maps swapped.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set.
        window: radius of the square neighbourhood, in pixels: its side is ``2 * window + 1``.

    Returns:
        The share; ``chance``, that of a random original set; ``above_chance``, 0 at chance and 1 at best.

    Raises:
        XaiboardError: ``k`` is smaller than 1 or greater than the number of pixels, or ``window`` is negative.
    """
    at_least(0, "lens_precision", window=window)
    original = top_pixels(attribution, k, "lens_precision")
    perturbed = top_pixels(perturbed_attribution, k, "lens_precision")
    return shared_share(original, dilate(perturbed, window), k)
