"""The diverse top pixels of any method as a map of their own, to be drawn and scored."""

from torch import Tensor

from ..components.decorators import method
from ..toolkit.diverse_pixels import diverse_pixels


@method(source="Kamath et al. 2024, arXiv:2312.10534, top-k-div")
def diverse_top(attribution: Tensor, *, of: str = "saliency", k: float = 0.1, window: int = 1) -> Tensor:
    """1 at the pixels of largest magnitude that lie apart, 0 elsewhere, shaped like the attribution.

    The set that ``topk_intersection_div`` and its kin compare: the largest pixel, the largest outside its window, and
    so on. All channels of a pixel are in it or not. Costs the passes of the other method.

    Args:
        attribution: what the method gives, ``(B, C, H, W)`` or ``(B, F)``.
        of: name of the method, which runs with its default settings and its own random numbers.
        k: share of the pixels in the set, or, from 1, their number; fewer where no more lie apart.
        window: no two members are that many or fewer rows and columns apart.

    Raises:
        XaiboardError: no set has ``k`` pixels, or ``window`` is negative.
    """
    del of  # read by the engine, which supplies the attribution
    chosen = diverse_pixels(attribution, k, window, "diverse_top").pixels
    return chosen[:, None].expand_as(attribution) if attribution.dim() > 2 else chosen[:, 0]
