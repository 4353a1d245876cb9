"""The sets of top pixels that LENS compares, and the windows around them."""

from dataclasses import dataclass

from ...benchmark.toolkit.per_side import so_many_pixels
from ...benchmark.toolkit.ranges import Window
from ...benchmark.toolkit.top_pixels import LENS_WINDOW, Arithmetic, PixelCount


@dataclass(frozen=True)
class TopSets:
    """Sets of top pixels, and the windows around their members.

    Args:
        k: number of pixels in a set or, below 1, their share of the pixels. The released code takes 100 of 28 x 28 and
            1000 of 227 x 227 pixels; the default is in proportion to the side, 811 at 227.
        window: radius of the square window around a pixel, in pixels: its side is ``2 * window + 1``. Pixels within it
            count as found. No two members of a diverse set are within it. The released code takes 1 to 3 at every size;
            the default grows, since 1 in a large image is next to nothing.
        reference: ``clean`` cuts windows at the border, and breaks ties in favour of the lowest flat index.
            ``released`` repeats the arithmetic of the released code: windows run over the border into the next row and
            never contain pixel 0, ties go to the highest flat index, and diverse sets lack the second pick and pixel 0,
            while shares are still divided by ``k``.
    """

    k: PixelCount = so_many_pixels(100.0)
    window: Window = LENS_WINDOW
    reference: Arithmetic = "clean"
