"""Images with their labels, and the doors to them: by data-set name, for a split, for a number of samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor

from .components import Dataset
from .errors import XaiboardError
from .registry import datasets

BACKGROUND = 64
"""How many training images a :class:`Reference` holds."""


@dataclass(frozen=True)
class Data:
    """A split, or some samples of it.

    Args:
        x: images in ``[0, 1]``, float32 ``(N, C, H, W)``.
        label: true classes, int64 ``(N,)``.
        classes: names of the classes, in the order of the logits.
        mask: ground truth of the explanation, bool ``(N, 1, H, W)``, or None.
        ids: index of each sample in its split; ``0..N-1`` by default.
    """

    x: Tensor
    label: Tensor
    classes: Sequence[str]
    mask: Tensor | None = None
    ids: Sequence[int] = ()

    def __post_init__(self) -> None:
        if not self.ids:
            object.__setattr__(self, "ids", tuple(range(len(self.x))))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input, ``(C, H, W)``."""
        return tuple(self.x.shape[1:])

    def __getitem__(self, which: slice | Sequence[int]) -> Data:
        """Some samples, by position."""
        rows = list(range(len(self))[which]) if isinstance(which, slice) else list(which)
        mask = None if self.mask is None else self.mask[rows]
        return Data(self.x[rows], self.label[rows], self.classes, mask, tuple(self.ids[row] for row in rows))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over ids, pixels, labels and masks: the same digest, the same samples."""
        total = sha256(np.asarray(self.ids, dtype=np.int64).tobytes())
        for part in (self.x, self.label, self.mask):
            if part is not None:
                total.update(part.contiguous().cpu().numpy().tobytes())
        return total.hexdigest()


@dataclass(frozen=True)
class Reference:
    """What a baseline may need to know of the training split.

    Args:
        mean: mean image, ``(C, H, W)``.
        samples: background images, ``(M, C, H, W)``.
    """

    mean: Tensor
    samples: Tensor

    @cached_property
    def digest(self) -> str:
        """SHA-256 over both."""
        return sha256(self.mean.cpu().numpy().tobytes() + self.samples.cpu().numpy().tobytes()).hexdigest()


def find_dataset(name: str) -> tuple[Dataset, dict[str, str]]:
    """The entry of a data set and its ``path``, if the name has one: ``image-folder:PATH``.

    Raises:
        XaiboardError: no such data set, a path that is missing, or one too many.
    """
    stem, colon, path = name.partition(":")
    entry = datasets[stem]
    if "path" in entry.supplied:
        if not path:
            raise XaiboardError(f"data set '{stem}' needs a path: --dataset {stem}:PATH")
        return entry, {"path": path}
    if colon:
        raise XaiboardError(f"data set '{stem}' takes no path; got '{name}'")
    return entry, {}


def load_data(name: str, *, split: str = "test", samples: int | None = None) -> Data:
    """Images and labels of a split, or of ``samples`` of them.

    The samples are a fixed random subset, in the order of the split; a smaller number gives a subset of a
    larger one's.

    Args:
        name: a registered data set, or ``image-folder:PATH``.
        split: ``train`` or ``test``.
        samples: how many; None for all.

    Raises:
        XaiboardError: an unknown data set, files missing or damaged, or more samples than there are.
    """
    entry, path = find_dataset(name)
    if split not in ("train", "test"):
        raise XaiboardError(f"no split named '{split}'; there are: train, test")
    if samples is not None and samples < 1:
        raise XaiboardError(f"the number of samples must be at least 1; got {samples}")
    data = entry(split=split, **path)
    if samples is not None and samples > len(data):
        raise XaiboardError(
            f"{name} has {len(data)} {split} samples; got {samples}; ask for at most {len(data)}"
        )
    return data if samples is None else take(data, samples)


def take(data: Data, samples: int) -> Data:
    """A fixed random subset of ``samples``, in the order of the split; a smaller one lies within a larger one."""
    order = np.random.Generator(np.random.Philox(key=len(data))).permutation(len(data))
    return data[sorted(order[:samples].tolist())]


def load_reference(name: str) -> Reference:
    """Mean image and background samples of a data set's training split."""
    train = load_data(name, split="train")
    mean = train.x.mean(0, dtype=torch.float64).float()
    return Reference(mean, take(train, min(BACKGROUND, len(train))).x)
