"""Top-k intersection: the share of the most important pixels that stay the most important ones."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.top_pixels import top_pixels
from .shared.overlap import COLUMNS, shared_share


@metric(
    family="stability",
    higher_is_better=True,
    source="Ghorbani et al. 2019, arXiv:1710.10547",
    columns=COLUMNS,
    roles=["overlap of top pixels"],
)
def topk_intersection(
    attribution: Tensor, perturbed_attribution: Tensor, *, k: float = 100.0
) -> dict[str, Tensor]:
    """Share of the ``k`` pixels of largest magnitude that both maps have, ``(B,)``, in ``[0, 1]``.

    A pixel's magnitude is the sum of its channels' magnitudes; values equal up to floating-point noise are ties,
    which go to the lowest flat index.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set, or, below 1, the share of the pixels.

    Returns:
        The share; ``chance``, that of unrelated maps, ``k / P``; ``above_chance``, 0 at chance and 1 at best;
        ``ties``, the share of a set that has the magnitude of a pixel outside it, in the map where it is greater.

    Raises:
        XaiboardError: no set of the map's pixels has ``k`` of them.
    """
    original, perturbed = (
        top_pixels(a, k, "topk_intersection") for a in (attribution, perturbed_attribution)
    )
    ties = original.ties.maximum(perturbed.ties)
    return {**shared_share(perturbed.pixels, original.pixels, original.size), "ties": ties}
