"""Images with their labels, and the statistics of the training split that components may use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import chain

import numpy as np
from torch import Tensor

from ..errors import XaiboardError
from .arguments import shown


class MissingSplitError(XaiboardError):
    """A data set has no training or test split."""


@dataclass(frozen=True)
class Data:
    """A split of a data set, or some of its samples.

    Args:
        x: images in ``[0, 1]``, float32 ``(N, C, H, W)``.
        label: true classes, int64 ``(N,)``.
        classes: names of the classes, in the order of the logits.
        mask: where an explanation should point (ground truth), bool ``(N, 1, H, W)``, or None.
        ids: index of each sample in its split; ``0..N-1`` by default.
    """

    x: Tensor
    label: Tensor
    classes: Sequence[str]
    mask: Tensor | None = None
    ids: Sequence[int] = ()

    def __post_init__(self) -> None:
        _require_tensors(self, "x", "label")
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

    def part(self, rows: slice) -> Data:
        """Some consecutive samples in the same memory: who changes one in place changes that of the whole."""
        mask = None if self.mask is None else self.mask[rows]
        return Data(self.x[rows], self.label[rows], self.classes, mask, tuple(self.ids[rows]))

    def pieces(self) -> Iterator[Tensor]:
        """All images in their order, as many at a time as are in memory anyway."""
        yield self.x

    def in_memory(self) -> Data:
        """The same samples with their images in memory."""
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of ids, pixels, labels and masks; it identifies the samples."""
        total = sha256(np.asarray(self.ids, dtype=np.int64).tobytes())
        for part in chain(self.pieces(), (self.label, self.mask)):
            if part is not None:
                total.update(part.contiguous().cpu().numpy().tobytes())
        return total.hexdigest()


@dataclass(frozen=True)
class Reference:
    """Statistics of the training split that components may use.

    Args:
        mean: mean image, ``(C, H, W)``.
        samples: background images, ``(M, C, H, W)``.
        of_all: whether all training images were used, not a subset of them.
    """

    mean: Tensor
    samples: Tensor
    of_all: bool = True

    def __post_init__(self) -> None:
        _require_tensors(self, "mean", "samples")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the mean image and the background images."""
        return sha256(self.mean.cpu().numpy().tobytes() + self.samples.cpu().numpy().tobytes()).hexdigest()


def _require_tensors(owner: object, *names: str) -> None:
    for name in names:
        if not isinstance(value := getattr(owner, name), Tensor):
            raise XaiboardError(
                f"'{name}' of {type(owner).__name__} must be a torch Tensor; got {shown(value)}"
            )
