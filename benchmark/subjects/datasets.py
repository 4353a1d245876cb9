"""Loads images and labels by the name of a data set: a split, or some samples of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..components.choice import choose
from ..components.kinds import Dataset
from ..components.patterns import parse
from ..components.registry import datasets
from ..errors import XaiboardError, own_mistakes
from ..toolkit.arguments import checked, shown
from ..toolkit.data import Data
from ..toolkit.streamed_data import StreamedData


class NotDataError(XaiboardError):
    """A data set's function returned something else than images with labels that agree."""


_WITH_SETTINGS = re.compile(r"(?P<before>.*)(?P<settings>\[\w+=[^\[\]]*\])", re.DOTALL)


def find_dataset(name: str) -> tuple[Dataset, dict[str, Any]]:
    """The entry of a data set with its argument ``path`` and its settings, as in ``image-folder:PATH[side=224]``.

    Raises:
        XaiboardError: there is no such data set, it needs a path, or it takes none; or it has no such setting.
    """
    match = _WITH_SETTINGS.fullmatch(name)
    address, settings = (match["before"], match["settings"]) if match else (name, "")
    stem, colon, path = address.partition(":")
    entry = datasets[stem]
    given = choose(entry, parse(stem + settings)[1]).settings
    if "path" in entry.supplied:
        if not path:
            raise XaiboardError(f"data set '{stem}' needs a path: --dataset {stem}:PATH")
        return entry, {"path": path, **given}
    if colon:
        raise XaiboardError(f"data set '{stem}' takes no path; got '{name}'")
    return entry, dict(given)


@checked
def load_data(name: str, *, split: str = "test", samples: int | None = None) -> Data:
    """Images and labels of a split, or of some samples of it, in memory.

    Samples are a fixed random subset, in the order of the split. A smaller subset lies within a larger one.

    Args:
        name: a registered data set, or ``image-folder:PATH``.
        split: ``train`` or ``test``.
        samples: how many samples; None for the whole split.

    Raises:
        XaiboardError: an unknown data set or split, files that are missing or damaged, or more samples than there are.
    """
    return open_data(name, split=split, samples=samples).in_memory()


def open_data(name: str, *, split: str = "test", samples: int | None = None) -> Data:
    """As :func:`load_data`, but images in files are decoded only when they are asked for."""
    entry, given = find_dataset(name)
    if split not in ("train", "test"):
        raise XaiboardError(f"no split named '{split}'; there are: train, test")
    if samples is not None and samples < 1:
        raise XaiboardError(f"the number of samples must be at least 1; got {samples}")
    with own_mistakes(f"data set '{name}' cannot be read", entry.function):
        data = require_data(entry.name, entry(split=split, **given))
    if samples is not None and samples > len(data):
        raise XaiboardError(
            f"{name} has {len(data)} {split} samples; got {samples}; ask for at most {len(data)}"
        )
    return data if samples is None else take(data, samples)


def require_data(name: str, data: object) -> Data:
    """What a data set has returned, if it is data.

    Raises:
        NotDataError: it is something else, or its images, labels, classes and masks do not agree.
    """
    if not isinstance(data, Data):
        raise NotDataError(f"data set '{name}' must return Data(x, label, classes); got {shown(data)}")
    names = data.classes
    if (
        isinstance(names, str)
        or not isinstance(names, Sequence)
        or not all(isinstance(each, str) for each in names)
    ):
        raise NotDataError(f"data set '{name}': classes must be a list of names; got {shown(names)}")
    if not isinstance(data, StreamedData):  # what decodes images sees to it that they are such
        _require_images(name, data.x)
    label, mask, classes, samples = data.label, data.mask, len(names), len(data)
    if label.dtype != torch.int64 or label.shape != (samples,):
        raise NotDataError(f"data set '{name}': labels must be int64 ({samples},); got {_kind(label)}")
    if label.min() < 0 or label.max() >= classes:
        raise NotDataError(
            f"data set '{name}': labels must be from 0 to {classes - 1}, the number of classes less one; got"
            f" {label.min()} to {label.max()}"
        )
    if mask is not None:
        wanted = (samples, 1, *data.shape[1:])
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool or mask.shape != wanted:
            raise NotDataError(f"data set '{name}': masks must be bool {wanted}; got {_kind(mask)}")
    if len(data.ids) != samples or not all(isinstance(each, Integral) for each in data.ids):
        raise NotDataError(
            f"data set '{name}': there must be a whole number for each of {samples} images as ids; got"
            f" {shown(data.ids)}"
        )
    return data


def _require_images(name: str, x: Tensor) -> None:
    if x.dtype != torch.float32 or x.ndim not in (2, 4) or not x.numel():
        raise NotDataError(
            f"data set '{name}': images must be float32 (N, C, H, W), at least one; got {_kind(x)}"
        )
    if not (x.min() >= 0 and x.max() <= 1):
        raise NotDataError(f"data set '{name}': images must be in [0, 1]; got {x.min():.3g} to {x.max():.3g}")


def _kind(value: object) -> str:
    if not isinstance(value, Tensor):
        return shown(value)
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"


def take(data: Data, samples: int) -> Data:
    """A fixed random subset of so many samples, in their order. A smaller subset lies within a larger one."""
    if samples == len(data):
        return data  # and no copy of it
    order = np.random.Generator(np.random.Philox(key=len(data))).permutation(len(data))
    return data[sorted(order[:samples].tolist())]
