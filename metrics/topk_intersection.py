"""Top-k intersection: the share of the most important pixels that stay the most important ones."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.per_side import sized, so_many_pixels
from ..benchmark.toolkit.top_pixels import PixelCount, top_pixels
from .shared.overlap import overlap_columns, shared_share


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source="Ghorbani et al. 2019, arXiv:1710.10547",
    columns=overlap_columns(-1),
    roles=["overlap of top pixels"],
)
def topk_intersection(
    attribution: Tensor, perturbed_attribution: Tensor, *, k: PixelCount = so_many_pixels(100.0)
) -> dict[str, Tensor]:
    """Share of the ``k`` pixels of largest magnitude that both maps have in common, ``(B,)``, in ``[0, 1]``.

    The magnitude of a pixel is the sum of its channels' magnitudes. Values that are equal up to floating-point noise
    are ties, which go to the lowest flat index.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: number of pixels in a set or, below 1, their share of the pixels.

    Returns:
        The share. ``chance``: the share for unrelated maps, ``k / P``. ``above_chance``: the share on a scale from 0 at
        chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude as a pixel outside the set,
        in the map where it is larger.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    k = sized(k, attribution)
    original, perturbed = (
        top_pixels(a, k, "topk_intersection") for a in (attribution, perturbed_attribution)
    )
    ties = original.ties.maximum(perturbed.ties)
    return {**shared_share(perturbed.pixels, original.pixels, original.size), "ties": ties}
