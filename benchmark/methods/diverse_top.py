"""The diverse top pixels of another method as a map of their own, which can be drawn and scored."""

from torch import Tensor

from ..components.decorators import method
from ..toolkit.diverse_pixels import diverse_pixels
from ..toolkit.ranges import Window
from ..toolkit.top_pixels import PixelCount


@method(source="Kamath et al. 2024, arXiv:2312.10534, top-k-div", images=True)
def diverse_top(
    attribution: Tensor, *, of: str = "saliency", k: PixelCount = 0.1, window: Window = 1
) -> Tensor:
    """1 at the pixels of the diverse top set, 0 elsewhere, shaped like the attribution.

    It is the set that ``topk_intersection_div`` and similar metrics compare: the pixel of largest magnitude, then the
    largest outside its window, and so on. All channels of a pixel are in the set, or none. It costs the passes of the
    other method.

    Args:
        attribution: attribution by the other method, ``(B, C, H, W)`` or ``(B, F)``.
        of: name of the other method, which runs with its default settings and its own random numbers.
        k: number of pixels in the set or, below 1, their share of the pixels; fewer if no more lie apart.
        window: no two members are this many or fewer rows and columns apart.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    del of  # read by the engine, which supplies the attribution
    chosen = diverse_pixels(attribution, k, window, "diverse_top").pixels
    return chosen[:, None].expand_as(attribution) if attribution.dim() > 2 else chosen[:, 0]
