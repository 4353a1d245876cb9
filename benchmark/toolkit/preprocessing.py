"""How a network wants its images: resized, cut to their centre, and normalised inside the network."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Preprocessing:
    """What is done to an image before a network sees it, as the library that the network comes from says.

    Resizing and cutting are done to the image outside the network, by :meth:`prepared`; the network itself subtracts
    ``mean`` and divides by ``std``, so that it takes images in ``[0, 1]``.

    Args:
        size: rows and columns of the images that the network takes.
        resize: rows and columns to which an image is resized before its centre is cut out; a single number is the
            length of the shorter side, and the longer one keeps its ratio to it.
        mean: what is subtracted from each channel, in units of ``x``.
        std: by what each channel is divided, in units of ``x``.
        interpolation: how pixels are resampled, in Pillow's words, such as ``bicubic``.
    """

    size: tuple[int, int]
    resize: tuple[int, int] | int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bilinear"

    def prepared(self, image: Image.Image) -> Image.Image:
        """The image as the network takes it, of :attr:`size`: resized, and cut to its centre."""
        columns, rows = image.size
        if isinstance(self.resize, int):  # rounded down, and the corner rounded, as torchvision does
            shorter = min(rows, columns)
            resized = self.resize * rows // shorter, self.resize * columns // shorter
        else:
            resized = self.resize
        if resized != (rows, columns):
            image = image.resize((resized[1], resized[0]), Image.Resampling[self.interpolation.upper()])
        top, left = (round((full - cut) / 2) for full, cut in zip(resized, self.size, strict=True))
        return image.crop((left, top, left + self.size[1], top + self.size[0]))
