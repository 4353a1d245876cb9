"""Top-k intersection: the share of the most important pixels that stay the most important ones."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Weighted
from ..benchmark.toolkit.per_side import sized, so_many_pixels
from ..benchmark.toolkit.top_pixels import PixelCount, top_pixels
from .shared.class_null import beside_class, class_columns
from .shared.overlap import overlap_columns, shared_share


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source="Ghorbani et al. 2019, arXiv:1710.10547",
    columns={**overlap_columns(-1), **class_columns()},
    roles=["overlap of top pixels"],
)
def topk_intersection(
    attribution: Tensor,
    perturbed_attribution: Tensor,
    class_attributions: Tensor | None = None,
    *,
    k: PixelCount = so_many_pixels(100.0),
) -> dict[str, Tensor | Weighted]:
    """Share of the ``k`` pixels of largest magnitude that both maps have in common, ``(B,)``, in ``[0, 1]``.

    The magnitude of a pixel is the sum of its channels' magnitudes. Values that are equal up to floating-point noise
    are ties, which go to the lowest flat index.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        class_attributions: maps of other images of the same class, ``(B, M, C, H, W)`` or ``(B, M, F)``, NaN where
            there are fewer than M; None leaves ``class_chance`` and ``above_class`` out.
        k: number of pixels in a set or, below 1, their share of the pixels.

    Returns:
        The share. ``chance``: the share for unrelated maps, ``k / P``. ``above_chance``: the share on a scale from 0 at
        chance to 1 at full agreement. ``ties``: share of a set that has the same magnitude as a pixel outside the set,
        in the map where it is larger. ``class_chance``: the mean share for maps of other images that are predicted as
        the same class, in place of the perturbed map. ``above_class``: the share on a scale from 0 at that level to 1
        at full agreement, averaged with the length of the scale as weight.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    k = sized(k, attribution)
    original = top_pixels(attribution, k, "topk_intersection")

    def compared(other: Tensor) -> dict[str, Tensor]:
        found = top_pixels(other, k, "topk_intersection")
        shares = shared_share(found.pixels, original.pixels, original.size)
        return {**shares, "ties": original.ties.maximum(found.ties)}

    return beside_class(compared, perturbed_attribution, class_attributions)
