"""Agreement: how alike the maps of two methods are."""

from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.pixels import pixel_values
from ..benchmark.toolkit.top_pixels import top_pixels
from .cosine import unit
from .shared.overlap import shared_share
from .shared.rank_correlation import spearman

WITHIN, ACROSS = Column(), Column(across_models=True)
"""No column has a direction: to agree is no virtue, two methods may err alike."""


@metric(
    family="agreement",
    higher_is_better=None,
    across_models=True,
    source="Serrurier et al. 2023, arXiv:2206.06854; Krishna et al. 2022, arXiv:2202.01602",
    columns={
        "distance": ACROSS, "l2": WITHIN, "unit_l2": ACROSS,
        "topk": WITHIN, "chance": WITHIN, "above_chance": ACROSS, "ties": WITHIN,
    },
)  # fmt: skip
def agreement(
    attribution: Tensor, other_attribution: Tensor, *, other: str = "smoothgrad", k: float = 100.0
) -> dict[str, Tensor]:
    """Spearman's correlation with the map of the method ``other``, of the same model and target, ``(B,)``, -1 to 1.

    1 for the same order of pixels, 0 for unrelated maps, and 0 where one of them is constant. A pixel's value is the
    signed sum over channels; values equal up to floating-point noise are ties.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.
        other_attribution: map of the method ``other``, of the same shape.
        other: the method to compare with, with its own default settings.
        k: pixels in a set of top pixels, or, below 1, the share of the pixels.

    Returns:
        The correlation; the distances of the paper between saliency and SmoothGrad, ``distance``, one minus the
        correlation, and ``l2``, the L2 norm of the difference of the signed maps, all channels, which says no more
        than how large the maps are where their units differ; ``unit_l2``, that of the maps at norm 1, 0 to 2 (an
        all-zero map stays zero). ``topk``, the share of the ``k`` pixels of largest magnitude that both have, with
        ``chance``, ``above_chance`` and ``ties`` as in ``topk_intersection``: magnitudes are summed over channels.

    Raises:
        XaiboardError: no set of the map's pixels has ``k`` of them.
    """
    correlation = spearman(pixel_values(attribution), pixel_values(other_attribution))
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
