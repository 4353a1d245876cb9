"""Arrays of one's own: ``x`` and ``y`` in a NumPy file ``.npz``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ..components.decorators import dataset
from ..errors import XaiboardError
from ..toolkit.data import Data, MissingSplitError
from ..toolkit.files import require_regular, user_path
from .shared.arrays import as_images
from .shared.limits import OF_DATA

ARRAYS = {"test": ("x", "y"), "train": ("x_train", "y_train")}


@dataset(source="the user's arrays")
def npz(split: Literal["train", "test"], path: str) -> Data:
    """Images ``(N, C, H, W)`` or vectors ``(N, F)``, from the arrays ``x`` and ``y`` of a file that ``np.savez`` wrote.

    ``x`` holds floating-point numbers in ``[0, 1]``, or bytes from 0 to 255; ``y`` the index of each sample's class.
    The names of the classes are in ``names``, if there is such an array, else they are numbers up to the largest label
    of any split. ``x_train`` and ``y_train`` are the training split, where one is needed. Pickled objects are refused.

    Raises:
        XaiboardError: the file is damaged, an array is missing, or it holds something else.
    """
    file = user_path(path)
    wanted = ARRAYS[split]
    arrays = _read(file, [*wanted, "y", "y_train", "names"])
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise MissingSplitError(
            f"'{file}' has no array '{missing[0]}', expected {' and '.join(wanted)} for the {split} split; write it"
            f" with np.savez(file, {', '.join(f'{name}=…' for name in wanted)})"
        )
    x, label = (arrays[name] for name in wanted)
    if x.ndim not in (2, 4) or not (x.dtype == np.uint8 or np.issubdtype(x.dtype, np.floating)):
        raise XaiboardError(
            f"'{wanted[0]}' in '{file}' is {x.dtype} {x.shape}, expected numbers in [0, 1] or bytes, (N, C, H, W) or"
            " (N, F); convert it"
        )
    if not np.issubdtype(label.dtype, np.integer) or label.shape != x.shape[:1]:
        raise XaiboardError(
            f"'{wanted[1]}' in '{file}' is {label.dtype} {label.shape}, expected a whole number for each of {len(x)}"
            " samples; convert it"
        )
    images = as_images(x) if x.dtype == np.uint8 else torch.from_numpy(x.astype(np.float32, order="C"))
    return Data(images, torch.from_numpy(label.astype(np.int64)), _names(arrays, file))


def _names(arrays: Mapping[str, np.ndarray], file: Path) -> list[str]:
    if "names" not in arrays:
        labels = [arrays[name] for name in ("y", "y_train") if name in arrays and arrays[name].size]
        return [str(number) for number in range(max((int(each.max()) for each in labels), default=-1) + 1)]
    names = arrays["names"]
    if names.ndim != 1 or names.dtype.kind != "U":
        raise XaiboardError(
            f"'names' in '{file}' is {names.dtype} {names.shape}, expected a text for each class; write it as"
            " np.array(['first', 'second'])"
        )
    return [str(name) for name in names]


def _read(file: Path, wanted: list[str]) -> dict[str, np.ndarray]:
    """Those arrays that are wanted and there."""
    try:
        require_regular(file)
        with zipfile.ZipFile(file) as archive:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
        OF_DATA.check(sum(sizes.get(name, 0) for name in set(wanted)))
        with np.load(file, allow_pickle=False) as content:
            return {name: content[name] for name in set(wanted) & set(sizes)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise XaiboardError(
            f"'{file}' cannot be read ({' '.join(str(error).split())}), expected a file that np.savez wrote, with"
            " arrays of numbers and texts; correct the path, or write it anew"
        ) from None
