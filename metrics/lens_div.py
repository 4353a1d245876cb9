"""LENS and top-k intersection of diverse sets: no two pixels of a set are in one window."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.diverse_pixels import diverse_pixels
from ..benchmark.toolkit.lens_released import flat_dilate
from ..benchmark.toolkit.pixels import channels
from ..benchmark.toolkit.top_pixels import Arithmetic, dilate, set_size
from .shared.overlap import COLUMNS, shared_share

SOURCE = (
    "Kamath et al. 2024, arXiv:2312.10534; windows cut at the border, divided by the pixels that are found"
)
COLUMNS_DIV = {**COLUMNS, "found": Column()}


@metric(family="stability", higher_is_better=True, source=SOURCE, columns=COLUMNS_DIV)
def topk_intersection_div(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    *,
    k: float = 100.0,
    window: int = 1,
    reference: Arithmetic = "clean",
) -> dict[str, Tensor]:
    """Share of the ``k`` largest pixels that lie apart which both maps have, ``(B,)``, in ``[0, 1]``.

    A set is picked greedily: the largest pixel, the largest outside its window, and so on. Where the map is too
    small for ``k`` of them, it is as large as can be, and the share is taken of the smaller set. A pixel's magnitude
    is the sum of its channels' magnitudes; values equal up to floating-point noise are ties, which go to the lowest
    flat index.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set, or, below 1, the share of the pixels.
        window: radius of the square that a pick keeps others out of, in pixels: its side is ``2 * window + 1``.
        reference: ``clean``, or ``released`` for the arithmetic of the released code, which divides by ``k``, loses
            the second pick and pixel 0, and whose windows run over the border into the next row.

    Returns:
        The share; ``chance``, that of sets that lie anywhere; ``above_chance``, 0 at chance and 1 at best; ``ties``,
        the share of a set that has the magnitude of a pixel outside it, in the map where it is greater; ``found``,
        pixels in the smaller set.

    Raises:
        XaiboardError: no set of the map's pixels has ``k`` of them, or ``window`` is negative.
    """
    sets = [
        diverse_pixels(a, k, window, "topk_intersection_div", reference)
        for a in (attribution, perturbed_attribution)
    ]
    original, perturbed = sets
    found = original.size.minimum(perturbed.size)
    size = found if reference == "clean" else _asked(attribution, k)
    shares = shared_share(perturbed.pixels, original.pixels, size)
    return {**shares, "ties": original.ties.maximum(perturbed.ties), "found": found}


@metric(family="stability", higher_is_better=True, source=SOURCE, columns=COLUMNS_DIV)
def lens_recall_div(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    *,
    k: float = 100.0,
    window: int = 1,
    reference: Arithmetic = "clean",
) -> dict[str, Tensor]:
    """Share of the perturbed map's diverse pixels near one of the original map's, ``(B,)``, in ``[0, 1]``.

    The ORIGINAL set is dilated, as in the released code. Pixels that lie apart cover the most, so the chance level
    is higher than that of :func:`~xaiboard.metrics.lens.lens_recall`: 1 where the set is as large as can be.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set, or, below 1, the share of the pixels.
        window: radius in pixels, of the square that a pick keeps others out of, and of its neighbourhood.
        reference: ``clean``, or ``released``, as for :func:`topk_intersection_div`.

    Returns:
        The share of the pixels that are found; ``chance``, ``above_chance``, ``ties`` and ``found`` as for
        :func:`topk_intersection_div`.

    Raises:
        XaiboardError: no set of the map's pixels has ``k`` of them, or ``window`` is negative.
    """
    return _covered("lens_recall_div", perturbed_attribution, attribution, k, window, reference)


@metric(family="stability", higher_is_better=True, source=SOURCE, columns=COLUMNS_DIV)
def lens_precision_div(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    *,
    k: float = 100.0,
    window: int = 1,
    reference: Arithmetic = "clean",
) -> dict[str, Tensor]:
    """Share of the original map's diverse pixels near one of the perturbed map's, ``(B,)``, in ``[0, 1]``.

    The PERTURBED set is dilated; the rest is as in :func:`lens_recall_div`, whose value it is with the maps swapped.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set, or, below 1, the share of the pixels.
        window: radius in pixels, of the square that a pick keeps others out of, and of its neighbourhood.
        reference: ``clean``, or ``released``, as for :func:`topk_intersection_div`.

    Returns:
        The share of the pixels that are found; ``chance``, ``above_chance``, ``ties`` and ``found`` as for
        :func:`topk_intersection_div`.

    Raises:
        XaiboardError: no set of the map's pixels has ``k`` of them, or ``window`` is negative.
    """
    return _covered("lens_precision_div", attribution, perturbed_attribution, k, window, reference)


def _covered(
    name: str, found: Tensor, wide: Tensor, k: float, window: int, reference: Arithmetic
) -> dict[str, Tensor]:
    """Share of the diverse pixels of ``found`` in the windows of those of ``wide``."""
    one, other = (diverse_pixels(a, k, window, name, reference) for a in (found, wide))
    clean = reference == "clean"
    accepted = (dilate if clean else flat_dilate)(other.pixels, window)
    shares = shared_share(one.pixels, accepted, one.size if clean else _asked(found, k))
    return {
        **shares,
        "ties": one.ties.maximum(other.ties),
        "found": one.size.minimum(other.size),
    }


def _asked(attribution: Tensor, k: float) -> int:
    """``k`` as a number of pixels."""
    return set_size(k, channels(attribution).shape[2], "")
