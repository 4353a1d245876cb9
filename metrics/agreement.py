"""Agreement: how alike the maps of two methods are."""

from math import inf

from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.per_side import sized, so_many_pixels
from ..benchmark.toolkit.pixels import pixel_values
from ..benchmark.toolkit.top_pixels import PixelCount, top_pixels
from .shared.overlap import shared_share
from .shared.rank_correlation import spearman
from .shared.unit import unit

SHARE = Column(range=(0, 1))


@metric(
    family="agreement",
    higher_is_better=None,  # agreement is no merit in itself, since two methods may share an error
    across_models=True,
    range=(-1, 1),
    source="Serrurier et al. 2023, arXiv:2206.06854; Krishna et al. 2022, arXiv:2202.01602",
    columns={
        "distance": Column(across_models=True, range=(0, 2)),
        "l2": Column(range=(0, inf)),
        "unit_l2": Column(across_models=True, range=(0, 2)),
        "topk": SHARE,
        "chance": SHARE,
        "above_chance": Column(across_models=True, range=(-1, 1)),
        "ties": SHARE,
    },
)
def agreement(
    attribution: Tensor,
    other_attribution: Tensor,
    *,
    other: str = "smoothgrad",
    k: PixelCount = so_many_pixels(100.0),
) -> dict[str, Tensor]:
    """Spearman's correlation with the map of the method ``other``, of the same model and target, ``(B,)``, -1 to 1.

    1 for the same order of pixels, 0 for unrelated maps, and 0 if one of the maps is constant. The value of a pixel is
    the signed sum over its channels. Values that are equal up to floating-point noise are ties.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.
        other_attribution: map of the method ``other``, of the same shape.
        other: name of the method to compare with, which runs with its default settings.
        k: number of top pixels or, below 1, their share of the pixels.

    Returns:
        The correlation. ``distance``: one minus the correlation, the paper's distance between saliency and SmoothGrad.
        ``l2``: L2 norm of the difference of the signed maps, all channels, the paper's other distance; if the maps have
        different units, it only shows how large they are. ``unit_l2``: the same for maps scaled to norm 1, from 0 to 2
        (an all-zero map stays zero). ``topk``: share of the ``k`` pixels of largest magnitude, summed over channels,
        that both maps have in common. ``chance``: the share of the top pixels that two unrelated maps have in common.
        ``above_chance``: the share in common, on a scale from 0 at chance to 1 at full agreement. ``ties``: share of
        the top pixels that have the same magnitude as a pixel outside the top, in the map where it is larger.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    correlation = spearman(pixel_values(attribution), pixel_values(other_attribution))
    k = sized(k, attribution)
    mine, theirs = (top_pixels(a, k, "agreement") for a in (attribution, other_attribution))
    shared = shared_share(theirs.pixels, mine.pixels, mine.size)
    return {
        "": correlation,
        "distance": 1 - correlation,
        "l2": vector_norm((attribution - other_attribution).flatten(1), dim=1),
        "unit_l2": vector_norm(unit(attribution) - unit(other_attribution), dim=1),
        "topk": shared.pop(""),
        **shared,
        "ties": mine.ties.maximum(theirs.ties),
    }
