"""Images of Hugging Face: from the cache of the library ``datasets``, or a folder that it saved; no downloads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge

from ..components.decorators import dataset
from ..errors import XaiboardError
from ..toolkit.data import Data, MissingSplitError
from ..toolkit.files import user_path
from ..toolkit.ranges import AddedLater
from ..toolkit.streamed_data import StreamedData
from .shared.image_files import ImageFiles
from .shared.resizing import Resizing

SPLITS = {"train": ("train",), "test": ("test", "validation")}
"""What the library calls a split; the first that there is counts."""


@dataset(name="hf-dataset", source="the user's images")
def hf_dataset(
    split: Literal["train", "test"],
    path: str,
    *,
    subset: str = "",
    resizing: Resizing = Resizing(),
    reference: Annotated[int, Ge(0), AddedLater()] = 0,
) -> Data:
    """Images and labels of a data set that the library ``datasets`` has downloaded before, or saved in a folder.

    The images are those of its first column of images, which must lie in the data set itself, and the labels those of
    its first column of class labels. ``test`` is the split of that name, or else ``validation``.

    Args:
        split: ``train`` or ``test``.
        path: name on the hub, such as ``uoft-cs/cifar10``, or a folder that ``save_to_disk`` wrote.
        subset: the configuration, where the data set has several.
        resizing: how images of mixed sizes are brought to one, instead of as the network wants it.
        reference: of how many training images the reference statistics are made, as of an image folder.

    Raises:
        XaiboardError: the library is not installed, the data set is not in its cache, or it has no such split, images
            or class labels.
    """
    if not find_spec("datasets"):
        raise XaiboardError("hf-dataset needs the library 'datasets'; run: pip install 'xaiboard[hf]'")
    splits = _open(path, subset)
    name = next((each for each in SPLITS[split] if each in splits), None)
    if name is None:
        raise MissingSplitError(
            f"'{path}' has no split '{SPLITS[split][0]}'; it has: {', '.join(map(str, splits))}"
        )
    rows = splits[name]
    kinds = {type(feature).__name__: column for column, feature in reversed(rows.features.items())}
    if "Image" not in kinds or "ClassLabel" not in kinds or not len(rows):
        columns = ", ".join(f"{column} ({type(each).__name__})" for column, each in rows.features.items())
        raise XaiboardError(
            f"'{path}' has {len(rows)} rows with the columns {columns}, expected a column of images and one of class"
            " labels; choose another data set, or another subset"
        )
    return _streamed(rows, kinds["Image"], kinds["ClassLabel"], path, resizing, reference)


def _streamed(
    rows: Any,  # noqa: ANN401 - the library's own
    image: str,
    label: str,
    path: str,
    resizing: Resizing,
    reference: int,
) -> StreamedData:
    library: Any = import_module("datasets")
    encoded = rows.select_columns([image]).cast_column(image, library.Image(decode=False))

    def open_row(row: int) -> BytesIO:
        found = encoded[row][image]
        if found is None:
            raise ValueError("the row has no image")
        if (content := found["bytes"]) is None:
            raise ValueError("it lies outside of the data set; save it again with embedded images")
        return BytesIO(content)

    names = [f"row {number}" for number in range(len(rows))]
    preparation = resizing if resizing.side else None
    images = ImageFiles(names, open_row, path, preparation, fixed=preparation is not None)
    labels = rows[label][:]
    if None in labels:
        raise XaiboardError(
            f"'{path}' has no label in row {labels.index(None)}, expected one in each; leave out rows without a label"
        )
    return StreamedData(images, torch.tensor(labels), tuple(rows.features[label].names), reference=reference)


def _open(path: str, subset: str) -> Any:  # noqa: ANN401
    """The splits of a data set by name.

    Raises:
        XaiboardError: it is in no folder and not in the cache.
    """
    library: Any = import_module("datasets")
    folder = user_path(path)
    try:
        if folder.is_dir():
            found = library.load_from_disk(str(folder))
            return found if isinstance(found, dict) else {"test": found}
        with _offline(library.config):
            return library.load_dataset(path, subset or None)
    except Exception as error:  # the library raises all kinds of exceptions
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise XaiboardError(
            f"'{path}' is neither a folder that datasets saved nor in its cache '{library.config.HF_DATASETS_CACHE}'"
            f" ({reason}); download it there with datasets.load_dataset('{path}')"
        ) from None


@contextmanager
def _offline(config: Any) -> Iterator[None]:  # noqa: ANN401
    """Keeps the library from asking the hub, whose data may be others than those in the cache."""
    before = config.HF_HUB_OFFLINE
    config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        config.HF_HUB_OFFLINE = before
