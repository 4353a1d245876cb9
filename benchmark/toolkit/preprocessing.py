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
        return centre(image, resized, self.size, self.interpolation)


def centre(
    image: Image.Image, resized: tuple[int, int], size: tuple[int, int], interpolation: str
) -> Image.Image:
    """The centre of an image that is resized before.

    Args:
        image: of any size.
        resized: rows and columns to which it is resized.
        size: rows and columns of what is cut out.
        interpolation: how pixels are resampled, in Pillow's words.
    """
    (rows, columns), (high, wide) = resized, size
    top, left = round((rows - high) / 2), round((columns - wide) / 2)
    larger = image.resize((columns, rows), Image.Resampling[interpolation.upper()])
    return larger.crop((left, top, left + wide, top + high))
