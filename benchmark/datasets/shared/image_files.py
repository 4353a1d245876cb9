"""Images in files: each is decoded when it is asked for, whatever its file lies in."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from tqdm import tqdm

from ...errors import XaiboardError
from ...toolkit.streamed_data import Preparation
from .arrays import as_images
from .limits import OF_DATA, OF_IMAGE

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "PPM")
"""The formats that Pillow may try. It knows others, for some of which it starts another program."""


class ImageFiles:
    """The images of some files, all of one size: C is 1 if all of them are saved as grey, else 3.

    An alpha channel is dropped, and images are turned as their EXIF orientation says.

    Args:
        names: of the files, at least one, for messages.
        open_file: opens the file at a position among them; safe to call from several threads.
        root: where the files are, for messages.
        preparation: what brings images of mixed sizes to one; None if they have one size.
        fixed: whether the user asked for that, so that a network's own preparation does not take its place.
    """

    def __init__(
        self,
        names: Sequence[str],
        open_file: Callable[[int], IO[bytes]],
        root: str | Path,
        preparation: Preparation | None = None,
        *,
        fixed: bool = False,
    ) -> None:
        self._names, self._open, self._root = names, open_file, root
        self._preparation, self.fixed = preparation, fixed
        self._sums: dict[int, int] = {}

    def prepared(self, preparation: Preparation) -> ImageFiles:
        """The same images, brought to one size."""
        return ImageFiles(self._names, self._open, self._root, preparation)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image, ``(C, H, W)``."""
        width, height = self._size
        return 1 if self._grey else 3, height, width

    def read(self, rows: Sequence[int]) -> Tensor:
        """The images at some positions, float32 ``(B, C, H, W)``, decoded by several threads.

        Raises:
            XaiboardError: a file is no image, is too large, has another size than the first one or other pixels than
                when it was read before.
        """
        channels, height, width = self.shape
        try:
            OF_DATA.check(len(rows) * prod(self.shape))
        except ValueError as error:
            raise XaiboardError(f"'{self._root}' is too large: {error}") from None
        pixels = np.empty((len(rows), channels, height, width), dtype=np.uint8)

        def fill(place: int) -> None:
            image = self._pixels(rows[place], (width, height))
            pixels[place] = image.transpose(2, 0, 1)[:channels]
            self._require_same(rows[place], pixels[place])

        with ThreadPoolExecutor() as pool:
            places = range(len(rows))
            found = pool.map(fill, places)
            for _ in tqdm(found, Path(self._root).name, len(rows), leave=False, delay=2, disable=None):
                pass
        return as_images(pixels)

    @cached_property
    def _size(self) -> tuple[int, int]:
        """Width and height of an image."""
        height, width = self._preparation.size if self._preparation else self._pixels(0).shape[:2]
        return width, height

    @cached_property
    def _grey(self) -> bool:
        """Whether all images are saved as grey, which their headers say."""
        return all(map(self._is_grey, range(len(self._names))))

    def _is_grey(self, row: int) -> bool:
        with self._opened(row) as image:
            return image.mode in ("1", "L", "LA") or image.mode.startswith("I")

    def _pixels(self, row: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """One image as RGB, uint8 ``(H, W, 3)``, of a width and height that are given, or of any."""
        with self._opened(row) as image:
            if self._preparation:
                ImageOps.exif_transpose(image, in_place=True)
                return np.asarray(self._preparation.prepared(Image.fromarray(_rgb(image))))
            if size is None or sorted(image.size) == sorted(size):  # before it is turned
                ImageOps.exif_transpose(image, in_place=True)
            if size in (None, image.size):
                return _rgb(image)
            found = image.size
        first, name = self._names[0], self._names[row]
        (width, height), like = found, size or found
        raise XaiboardError(
            f"'{first}' is {like[0]} x {like[1]} pixels and '{name}' is {width} x {height} in '{self._root}', expected"
            " images of one size; resize them, or write [side=224] after the path, which cuts a square of so many"
            " pixels out of each"
        )

    @contextmanager
    def _opened(self, row: int) -> Iterator[Image.Image]:
        """A file as an image of which only the header is read.

        Raises:
            XaiboardError: it is no image or is too large, which may show only inside the ``with`` block.
        """
        try:
            with self._open(row) as content, Image.open(content, formats=FORMATS) as image:
                OF_IMAGE.check(3 * image.width * image.height)
                yield image
        except XaiboardError:
            raise
        except Exception as error:  # decoders raise all kinds of exceptions on damaged files
            raise XaiboardError(
                f"'{self._names[row]}' in '{self._root}' cannot be read ({_reason(error)}), expected"
                f" {', '.join(FORMATS)}; replace or remove it"
            ) from error

    def _require_same(self, row: int, pixels: np.ndarray) -> None:
        """Refuses an image that is another one than when it was read before, as a digest of the samples was made."""
        found = zlib.crc32(pixels.tobytes())
        if self._sums.setdefault(row, found) != found:
            raise XaiboardError(
                f"'{self._names[row]}' in '{self._root}' has changed since it was first read; run again"
            )


def _reason(error: Exception) -> str:
    """Why an image cannot be read, in one line."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    if isinstance(error, Image.DecompressionBombError):  # Pillow has a limit of its own
        return f"{error}; {OF_IMAGE.name} allows {OF_IMAGE.bytes} bytes"
    return " ".join(str(error).split()) or type(error).__name__


def _rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16 bits a pixel: Pillow's own conversion would clip them to 255
        deep = np.asarray(image).astype(np.int64)
        return np.repeat((deep * 255 + 32767) // 65535, 3).reshape(*deep.shape, 3).astype(np.uint8)
    return np.asarray(image.convert("RGB"))
