"""Images of one's own: ``train/<class>/*`` and ``test/<class>/*`` in a directory or a zip."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from ..components.decorators import dataset
from ..errors import XaiboardError, warn
from ..toolkit.data import Data
from ..toolkit.files import user_path
from .shared.arrays import as_data
from .shared.limits import OF_DATA, OF_IMAGE
from .shared.trees import Parts, Tree, open_tree

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "PPM")
"""The formats that Pillow may try. It knows others, for some of which it starts another program."""

SPLITS = ("train", "test")


@dataset(name="image-folder", source="the user's images")
def image_folder(split: Literal["train", "test"], path: str) -> Data:
    """Images of one size, ``(C, H, W)``: C is 1 if all images of the split are saved as grey, else 3.

    An alpha channel is dropped, and images are turned as their EXIF orientation says. The classes are the names of the
    class folders, sorted; the samples are sorted by class and file name. Hidden files and links to folders are ignored,
    which is said; links that lead out of the folder are refused, and so is what unpacks to more than the environment
    variables ``XAIBOARD_IMAGE_BYTES`` and ``XAIBOARD_DATA_BYTES`` allow.

    Raises:
        XaiboardError: a split, class or image is missing, a file is no image or is too large, images have different
            sizes, or a link leads out of the folder.
    """
    root = user_path(path)
    with open_tree(root, SPLITS) as tree:
        classes = _classes(tree, split, root)
        files = [
            parts
            for parts in tree.files
            if parts[0] == split and len(parts) > 2 and parts[-1].lower().endswith(SUFFIXES)
        ]
        filled = {parts[1] for parts in files}
        for name in classes:
            if name not in filled:
                raise XaiboardError(
                    f"'{root}' has no images in '{split}/{name}', expected files that end in {', '.join(SUFFIXES)};"
                    " add some, or take the class away"
                )
        _say_ignored([parts for parts in tree.ignored if parts[0] == split], root)
        pixels = _decode(tree.open, files, root)
    index = {name: number for number, name in enumerate(classes)}
    label = np.array([index[parts[1]] for parts in files])
    return as_data(pixels, label, classes, root)


def _classes(tree: Tree, split: str, root: Path) -> list[str]:
    """Names of the split's class folders, sorted. If there is another split, it must have the same."""
    found = {
        top: {parts[1] for parts in tree.folders if parts[0] == top and len(parts) == 2} for top in SPLITS
    }
    if not found[split]:
        use = ", which gives the reference statistics," if split == "train" else ""
        raise XaiboardError(
            f"'{root}' has no class folders in '{split}/'; put the {split} images{use} into '{split}/<class>/'"
        )
    train, test = found.values()
    if train and test and train != test:
        odd = min(train ^ test)
        here, there = SPLITS if odd in train else SPLITS[::-1]
        raise XaiboardError(
            f"'{root}' has the class '{odd}' in '{here}/' but not in '{there}/', expected the same classes; "
            f"add '{there}/{odd}/', or take '{here}/{odd}/' away"
        )
    return sorted(found[split])


def _say_ignored(ignored: list[Parts], root: Path) -> None:
    """Says that there are hidden files, which may be somebody's images."""
    found = [parts for parts in ignored if parts[-1] != ".DS_Store"]  # every folder seen on a Mac has one
    if found:
        first = "/".join(found[0])
        warn(f"hidden files and links to folders are ignored: {len(found)} in '{root}', such as '{first}'")


def _decode(open_file: Callable[[Parts], IO[bytes]], files: list[Parts], root: Path) -> np.ndarray:
    """Pixels of the files, uint8 ``(N, C, H, W)``, read by several threads."""
    first, _ = _image(open_file, files[0], root, None)
    try:
        OF_DATA.check(len(files) * first.size)
    except ValueError as error:
        raise XaiboardError(f"'{root}' is too large: {error}") from None
    # Whether all images are grey is known only after the last file. With room for three channels from the start, the
    # files need not be opened twice.
    pixels = np.empty((len(files), *first.shape), dtype=np.uint8)
    height, width = first.shape[:2]

    def fill(row: int) -> bool:
        pixels[row], grey = _image(open_file, files[row], root, ("/".join(files[0]), (width, height)))
        return grey

    with ThreadPoolExecutor() as pool:
        rows = range(len(files))
        grey = list(tqdm(pool.map(fill, rows), root.name, len(rows), leave=False, delay=2, disable=None))
    return (pixels[..., :1] if all(grey) else pixels).transpose(0, 3, 1, 2)


def _image(
    open_file: Callable[[Parts], IO[bytes]],
    file: Parts,
    root: Path,
    like: tuple[str, tuple[int, int]] | None,
) -> tuple[np.ndarray, bool]:
    """One file as RGB, uint8 ``(H, W, 3)``, and whether it is saved as grey.

    Args:
        open_file: opens a file for reading.
        file: parts of its path.
        root: the folder or zip, for messages.
        like: name and size (width, height) of a file whose size this one must have; None for any size.
    """
    name = "/".join(file)
    try:
        with open_file(file) as content, Image.open(content, formats=FORMATS) as image:
            OF_IMAGE.check(3 * image.width * image.height)
            if like is None or sorted(image.size) == sorted(like[1]):  # before it is turned
                ImageOps.exif_transpose(image, in_place=True)
            size = image.size
            if like is None or size == like[1]:
                return _rgb(image), image.mode in ("1", "L", "LA") or image.mode.startswith("I")
    except XaiboardError:
        raise
    except Exception as error:  # decoders raise all kinds of exceptions on damaged files
        raise XaiboardError(
            f"'{name}' in '{root}' cannot be read ({_reason(error)}), expected {', '.join(FORMATS)};"
            " replace or remove it"
        ) from error
    sizes = f"'{like[0]}' is {like[1][0]} x {like[1][1]} pixels and '{name}' is {size[0]} x {size[1]}"
    raise XaiboardError(f"{sizes} in '{root}', expected images of one size; resize them")


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
