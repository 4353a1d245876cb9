"""Similarity of two maps of the same input, in the three ways of the sanity checks."""

from torch import Tensor

from ...benchmark.components.kinds import Column
from ...benchmark.toolkit.pixels import magnitudes, pixel_values
from .rank_correlation import spearman
from .structural_similarity import structural_similarity

COLUMNS = {
    "absolute": Column(higher_is_better=False, range=(-1, 1)),
    "ssim": Column(higher_is_better=False, range=(-1, 1)),
}


def similarity(a: Tensor, b: Tensor) -> dict[str, Tensor]:
    """Spearman's correlation of the signed channel sums and (``absolute``) of the magnitudes, and SSIM, ``(B,)`` each.

    A constant map has correlation 0 with any other. The SSIM is that of the magnitudes.
    """
    return {
        "": spearman(pixel_values(a), pixel_values(b)),
        "absolute": spearman(magnitudes(a).flatten(1), magnitudes(b).flatten(1)),
        "ssim": structural_similarity(a, b),
    }
