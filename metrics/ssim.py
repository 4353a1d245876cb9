"""SSIM: structural similarity of two maps."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.per_side import in_proportion, sized
from ..benchmark.toolkit.ranges import Positive
from .shared.structural_similarity import structural_similarity


@metric(
    family="stability",
    higher_is_better=True,
    range=(-1, 1),
    source="Wang et al. 2004, doi:10.1109/TIP.2003.819861, eq. 13; on maps: Adebayo et al. 2018, arXiv:1810.03292",
    images=True,
)
def ssim(
    attribution: Tensor, perturbed_attribution: Tensor, *, sigma: Positive = in_proportion(1.5)
) -> Tensor:
    """Mean structural similarity of the maps' magnitudes, ``(B,)``, in ``[-1, 1]``; 1 for equal maps.

    The magnitude of a pixel is the sum of its channels' magnitudes, divided by the largest one of the map; an all-zero
    map stays zero. Windows are cut at the border.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        sigma: standard deviation of the Gaussian window, in pixels.
    """
    return structural_similarity(attribution, perturbed_attribution, sized(sigma, attribution))
