"""Data whose images stay on the disk: they are decoded when they are asked for, and only those."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Protocol

from PIL import Image
from torch import Tensor

from .data import Data

PIECE_BYTES = 2**26
"""How much of a split is decoded at a time, in float32, where all of it is gone through."""


class Preparation(Protocol):
    """What brings images of any size to one: what a network wants of its images, or a setting of the data set."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of all images then."""
        ...

    def prepared(self, image: Image.Image) -> Image.Image:
        """An image of that size."""
        ...


class Images(Protocol):
    """The images of a split, which can be read by their position in it.

    Attributes:
        fixed: whether the user has said how to bring them to one size.
    """

    fixed: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image, ``(C, H, W)``."""
        ...

    def read(self, rows: Sequence[int]) -> Tensor:
        """Some images in ``[0, 1]``, float32 ``(B, C, H, W)``."""
        ...

    def prepared(self, preparation: Preparation) -> Images:
        """The same images, brought to one size."""
        ...


class StreamedData(Data):
    """A split whose images are read each time they are asked for, or some of its samples.

    Asking for ``x`` decodes all of its images: take the samples that are needed first, as ``data[rows].x``.

    Args:
        images: of the whole split.
        label: true classes of the samples, int64 ``(N,)``.
        classes: names of the classes, in the order of the logits.
        ids: index of each sample in the split, thus of its image; ``0..N-1`` by default.
        reference: of how many images the reference statistics of this split are made; 0 for a number that suits it.
    """

    images: Images
    reference: int

    def __init__(
        self,
        images: Images,
        label: Tensor,
        classes: Sequence[str],
        ids: Sequence[int] = (),
        reference: int = 0,
    ) -> None:
        ids = tuple(ids) or tuple(range(len(label)))
        parts = {"images": images, "label": label, "classes": classes, "mask": None, "ids": ids}
        for name, part in {**parts, "reference": reference}.items():
            object.__setattr__(self, name, part)  # past what keeps data from being changed

    @property
    def x(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride] - read-only there, too
        """All images, decoded anew."""
        return self.images.read(self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image, ``(C, H, W)``."""
        return self.images.shape

    def __getitem__(self, which: slice | Sequence[int]) -> StreamedData:
        """Some samples, by position; none of them is decoded."""
        rows = list(range(len(self))[which]) if isinstance(which, slice) else list(which)
        ids = tuple(self.ids[row] for row in rows)
        return StreamedData(self.images, self.label[rows], self.classes, ids, self.reference)

    def part(self, rows: slice) -> StreamedData:
        """Some consecutive samples; none of them is decoded."""
        return self[rows]

    def prepared(self, preparation: Preparation) -> StreamedData:
        """The same samples as a network wants them; as they are if the user has said how to bring them to one size."""
        images = self.images if self.images.fixed else self.images.prepared(preparation)
        return StreamedData(images, self.label, self.classes, self.ids, self.reference)

    def pieces(self) -> Iterator[Tensor]:
        """All images in their order, a few at a time."""
        step = max(1, PIECE_BYTES // (4 * prod(self.shape)))
        for start in range(0, len(self), step):
            yield self.images.read(self.ids[start : start + step])

    def in_memory(self) -> Data:
        """The same samples, decoded."""
        return Data(self.x, self.label, self.classes, self.mask, self.ids)
