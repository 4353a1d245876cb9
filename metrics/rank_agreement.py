"""Rank correlations of two maps: how well the order of the pixels is preserved."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.pixels import magnitudes
from .shared.kendall_tau import kendall_tau
from .shared.rank_correlation import spearman as rank_correlation


@metric(
    family="stability",
    higher_is_better=True,
    across_models=True,
    range=(-1, 1),
    source="Ghorbani et al. 2019, arXiv:1710.10547; Spearman 1904, doi:10.2307/1412159, ties share their mean rank",
)
def spearman(attribution: Tensor, perturbed_attribution: Tensor) -> Tensor:
    """Spearman's rank correlation of the maps' magnitudes, ``(B,)``, in ``[-1, 1]``; 0 for unrelated maps.

    The magnitude of a pixel is the sum of its channels' magnitudes. Values that are equal up to floating-point noise
    are ties. A constant map has no order, and correlation 0.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
    """
    return rank_correlation(*(magnitudes(a).flatten(1) for a in (attribution, perturbed_attribution)))


@metric(
    family="stability",
    higher_is_better=True,
    across_models=True,
    range=(-1, 1),
    source="Chen et al. 2019, arXiv:1905.09957; Kendall 1945, doi:10.1093/biomet/33.3.239, tau-b",
)
def kendall(attribution: Tensor, perturbed_attribution: Tensor) -> Tensor:
    """Kendall's tau-b of the maps' magnitudes, ``(B,)``, in ``[-1, 1]``; 0 for unrelated maps.

    Magnitudes, ties and constant maps are as in :func:`spearman`.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
    """
    return kendall_tau(*(magnitudes(a).flatten(1) for a in (attribution, perturbed_attribution)))
