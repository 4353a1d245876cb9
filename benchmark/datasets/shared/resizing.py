"""Resizes photographs of mixed sizes and crops them, as networks of ImageNet are given them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval
from PIL import Image

from ...toolkit.preprocessing import centre
from ...toolkit.ranges import AddedLater, Share


@dataclass(frozen=True)
class Resizing:
    """What an image goes through before it is an input: its shorter side is resized, and its centre is cut out.

    Args:
        side: pixels of the square that is cut out; 0 leaves that to the network, if it says what it wants, or to the
            data set.
        crop: share of the resized image's shorter side that the square has.
        interpolation: how pixels are averaged (Pillow's antialiased filters).
    """

    side: Annotated[int, Interval(ge=0, le=4096), AddedLater()] = 0
    crop: Annotated[Share, AddedLater()] = 0.875
    interpolation: Annotated[Literal["bicubic", "bilinear"], AddedLater()] = "bilinear"

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of an image then."""
        return self.side, self.side

    def prepared(self, image: Image.Image) -> Image.Image:
        """The square of ``side`` by ``side`` pixels in the middle of the resized image."""
        shorter = max(self.side, round(self.side / self.crop))
        width, height = image.size
        scale = shorter / min(width, height)
        resized = max(shorter, int(height * scale)), max(shorter, int(width * scale))
        return centre(image, resized, self.size, self.interpolation)
