"""Images of one's own: ``train/<class>/*`` and ``test/<class>/*`` in a directory or a zip."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from ..components.decorators import dataset
from ..toolkit.data import Data
from ..toolkit.files import user_path
from ..toolkit.ranges import AddedLater
from .shared.class_folders import class_folders
from .shared.resizing import Resizing


@dataset(name="image-folder", source="the user's images")
def image_folder(
    split: Literal["train", "test"],
    path: str,
    *,
    resizing: Resizing = Resizing(),
    reference: Annotated[int, Ge(0), AddedLater()] = 0,
) -> Data:
    """Images of one size, ``(C, H, W)``: C is 1 if all images of the split are saved as grey, else 3.

    An alpha channel is dropped, and images are turned as their EXIF orientation says. The classes are the names of the
    class folders, sorted, or those that a class map lists: ``classes.json``, or ImageNet's
    ``imagenet_class_index.json``, ``LOC_synset_mapping.txt`` or ``synset_words.txt`` beside the folders. With a class
    map the folder may have some of the classes only. The samples are sorted by class folder and file name, and decoded
    when they are needed. Hidden files and links to folders are ignored, which is said; links that lead out of the
    folder are refused, and so is what unpacks to more than the environment variables ``XAIBOARD_IMAGE_BYTES`` and
    ``XAIBOARD_DATA_BYTES`` allow.

    Args:
        split: ``train`` or ``test``.
        path: of the directory or zip.
        resizing: how images of mixed sizes are brought to one, instead of as the network wants it.
        reference: of how many training images the reference statistics are made, drawn once and for all; 0 for all
            images where they have at most 1 GiB of pixels, and 2,048 of them where they have more.

    Raises:
        XaiboardError: a split, class or image is missing, a file is no image or is too large, images have different
            sizes, or a link leads out of the folder.
    """
    return class_folders(split, user_path(path), {"train": "train", "test": "test"}, resizing, reference)
