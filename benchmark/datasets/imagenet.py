"""ImageNet in its usual folders: ``val/<WordNet id>/*.JPEG``, or a flat ``val/`` with the development kit."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from ..components.decorators import dataset
from ..errors import XaiboardError
from ..toolkit.data import Data
from ..toolkit.files import user_path
from ..toolkit.ranges import AddedLater
from .shared.class_folders import class_folders
from .shared.resizing import Resizing

CLASSES = 1000


@dataset(source="Russakovsky et al. 2015, arXiv:1409.0575")
def imagenet(
    split: Literal["train", "test"],
    path: str,
    *,
    resizing: Resizing = Resizing(),
    reference: Annotated[int, Ge(0), AddedLater()] = 0,
) -> Data:
    """ImageNet's validation images (the split ``test``) and training images, RGB, resized and cropped.

    That is done as the network wants it, where it says so, or else to 224 pixels of 256.

    The 1,000 classes are in the order of their WordNet ids, as networks of ImageNet have them. Validation images lie in
    a folder for each class, named by its id, or side by side in ``val/`` with ``ILSVRC2012_devkit_t12/`` beside it. A
    folder with some of the classes needs a class map, such as ``imagenet_class_index.json``.

    Args:
        split: ``test`` for ``val/``, or ``train``.
        path: of the directory or zip that holds ``val/`` and ``train/``.
        resizing: how images are brought to one size instead.
        reference: of how many training images the reference statistics are made, drawn once and for all; 0 for all
            images where they have at most 1 GiB of pixels, and 2,048 of them where they have more.

    Raises:
        XaiboardError: a split or image is missing or damaged, or the folder does not tell which classes there are.
    """
    root = user_path(path)
    folders = {"train": "train", "test": "val"}
    data = class_folders(
        split,
        root,
        folders,
        resizing,
        reference,
        usual=Resizing(side=224),
        flat=split == "test",
        ordered=True,
    )
    if len(data.classes) != CLASSES:
        raise XaiboardError(
            f"'{root}' has folders of {len(data.classes)} classes, expected the {CLASSES} of ImageNet; put"
            " 'imagenet_class_index.json' beside them, which lists all classes, or use image-folder:PATH"
        )
    return data
