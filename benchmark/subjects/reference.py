"""Reference statistics of a data set: the mean image of its training split, and some of its images."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch

from ..components.choice import Choice
from ..toolkit.data import Data, MissingSplitError, Reference
from ..toolkit.streamed_data import Preparation, StreamedData
from .datasets import open_data, take

BACKGROUND = 64
"""How many training images a :class:`~..toolkit.data.Reference` holds."""

WHOLE_BYTES = 2**30
"""Pixels, a byte each, of the largest training split in files of which all images are used."""

SUBSET = 2048
"""How many images of a larger one are used, unless its setting ``reference`` says otherwise."""


def reference_for(
    name: str, choices: Sequence[Choice], preparation: Preparation | None = None
) -> tuple[Reference | None, str]:
    """The statistics that some components need, or None with the reason why there are none; it is empty if none asks.

    Those of a large folder are computed only if a component asks for them with its settings, as ``deletion`` does for
    the baseline ``mean``. Those of other data sets are computed for each component that may ask, since they have always
    been a part of what identifies its scores.

    Args:
        name: of the data set.
        choices: the components with their settings.
        preparation: how the networks want images that lie in files.

    Raises:
        XaiboardError: the training split is damaged.
    """
    if not any(choice.needs("reference") for choice in choices):
        return None, ""
    try:
        train = open_data(name, split="train")
    except MissingSplitError as error:
        return None, str(error)
    if preparation is not None and isinstance(train, StreamedData):
        train = train.prepared(preparation)
    if _images_used(train) < len(train) and not any(choice.asks_for_reference for choice in choices):
        return None, ""
    return _statistics(train), ""


def load_reference(name: str) -> Reference:
    """Mean image and background samples of a data set's training split.

    A split in files that has more than 1 GiB of pixels is represented by a fixed random subset, which is part of the
    statistics' digest.
    """
    return _statistics(open_data(name, split="train"))


def _statistics(train: Data) -> Reference:
    used = take(train, _images_used(train))
    total = torch.zeros(train.shape, dtype=torch.float64)
    for piece in used.pieces():
        total += piece.sum(0, dtype=torch.float64)
    background = take(train, min(BACKGROUND, len(train)))
    return Reference((total / len(used)).float(), background.x, len(used) == len(train))


def _images_used(train: Data) -> int:
    """How many images of a training split its statistics are made of."""
    if not isinstance(train, StreamedData):
        return len(train)
    large = len(train) * prod(train.shape) > WHOLE_BYTES
    return min(len(train), train.reference or (SUBSET if large else len(train)))
