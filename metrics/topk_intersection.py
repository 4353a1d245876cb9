"""Top-k intersection: the share of the most important pixels that stay the most important ones."""

from torch import Tensor

from ..benchmark.components import Column
from ..benchmark.registry import metric
from .overlap import shared_share, top_pixels


@metric(
    family="stability",
    higher_is_better=True,
    source="Ghorbani et al. 2019, arXiv:1710.10547",
    columns={"chance": Column(), "above_chance": Column(higher_is_better=True, across_models=True)},
)
def topk_intersection(
    attribution: Tensor, perturbed_attribution: Tensor, *, k: int = 100
) -> dict[str, Tensor]:
    """Share of the ``k`` pixels of largest magnitude that both maps have, ``(B,)``, in ``[0, 1]``.

    A pixel's magnitude is the sum of its channels' magnitudes; values equal up to floating-point noise are ties,
    which go to the lowest flat index.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set.

    Returns:
        The share; ``chance``, that of unrelated maps, ``k / P``; ``above_chance``, 0 at chance and 1 at best.

    Raises:
        XaiboardError: ``k`` is smaller than 1 or greater than the number of pixels.
    """
    name = "topk_intersection"
    original, perturbed = top_pixels(attribution, k, name), top_pixels(perturbed_attribution, k, name)
    return shared_share(perturbed, original, k)
