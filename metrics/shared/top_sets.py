"""The sets of top pixels that LENS compares, and the windows around them."""

from dataclasses import dataclass

from ...benchmark.toolkit.ranges import Window
from ...benchmark.toolkit.top_pixels import Arithmetic, PixelCount


@dataclass(frozen=True)
class TopSets:
    """Sets of top pixels, and the windows around their members.

    Args:
        k: number of pixels in a set or, below 1, their share of the pixels.
        window: radius of the square window around a pixel, in pixels: its side is ``2 * window + 1``. Pixels within it
            count as found. No two members of a diverse set are within it.
        reference: ``clean`` cuts windows at the border, and breaks ties in favour of the lowest flat index.
            ``released`` repeats the arithmetic of the released code: windows run over the border into the next row and
            never contain pixel 0, ties go to the highest flat index, and diverse sets lack the second pick and pixel 0,
            while shares are still divided by ``k``.
    """

    k: PixelCount = 100.0
    window: Window = 1
    reference: Arithmetic = "clean"
