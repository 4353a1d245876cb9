"""Outputs of a layer as maps of the image: feature maps with channels first or last, and tokens of a transformer."""

from __future__ import annotations

import re
from typing import NamedTuple

from torch import Tensor, nn

from ...errors import XaiboardError
from ...toolkit.preprocessing import Preprocessing
from .channel_axis import channel_axis

EXTRA = 8
"""Largest number of tokens in front of those of patches, such as class, distillation and register tokens."""


class Grid(NamedTuple):
    """How a layer's output lies in the image.

    Args:
        channels: the axis of its channels.
        rows: number of rows of the map.
        columns: number of its columns.
    """

    channels: int
    rows: int
    columns: int

    def map_of(self, output: Tensor) -> Tensor:
        """The output ``(B, ...)`` as maps ``(B, D, H', W')``; tokens in front of those of patches are dropped."""
        first = output.movedim(self.channels, 1)
        if first.dim() == 4:
            return first
        return first[:, :, -self.rows * self.columns :].unflatten(2, (self.rows, self.columns))


def size_inside(model: nn.Module, x: Tensor) -> tuple[int, int]:
    """Rows and columns of the images when a network cuts them into patches: one of a library may resize them first."""
    preprocessing = getattr(model, "preprocessing", None)
    return preprocessing.size if isinstance(preprocessing, Preprocessing) else (x.shape[2], x.shape[3])


def grid_of(output: Tensor, size: tuple[int, int], layer: str, reshape: str) -> Grid:
    """How a layer's output lies in the image; the axis of its channels is read from what computed it.

    Args:
        output: maps ``(B, D, H', W')`` or ``(B, H', W', D)``, or tokens ``(B, N, D)``.
        size: rows and columns of the images, as the network cuts them into patches.
        layer: name of the layer, for messages.
        reshape: rows and columns, such as ``14x14``, which the output must have; one token more is a class token, and
            dropped. ``auto``: patches are square, and tokens in front of theirs are dropped. Empty for maps.

    Raises:
        XaiboardError: the output is no map, does not fit, or fits in two ways.
    """
    shape, wanted = tuple(output.shape[1:]), _read(reshape)
    if output.dim() not in (3, 4) or (output.dim() == 3 and not reshape):
        raise XaiboardError(
            f"layer '{layer}' gives {shape} an image, which is no map; give another layer=, or for tokens reshape=auto"
            " or rows x columns, such as reshape=14x14"
        )
    known = channel_axis(output.grad_fn, output.dim())
    grids = []
    for axis in (1, output.dim() - 1) if known is None else (known,):
        if grid := _grid((*shape[: axis - 1], *shape[axis:]), size, wanted):
            grids.append(Grid(axis, *grid))
    if len(grids) == 1:
        return grids[0]
    if grids:
        raise XaiboardError(
            f"layer '{layer}' gives {shape} an image, and it cannot be told which axis has the channels; give another"
            " layer=, or the rows x columns of its map, such as reshape=14x14"
        )
    raise XaiboardError(
        f"layer '{layer}' gives {shape} an image, which reshape={reshape} does not fit on {size[0]} x {size[1]}"
        " pixels; give the rows x columns of its map, or of all its tokens but a class token, such as reshape=14x14"
    )


def token_grid(count: int, size: tuple[int, int], reshape: str) -> tuple[int, int]:
    """Rows and columns of the patches of ``count`` tokens, of which those in front of the patches are left out.

    Args:
        count: number of tokens.
        size: rows and columns of the images, as the network cuts them into patches.
        reshape: ``auto`` for square patches, or rows and columns such as ``14x14``.

    Raises:
        XaiboardError: the tokens are no such grid.
    """
    if grid := _grid((count,), size, _read(reshape)):
        return grid
    raise XaiboardError(
        f"the model has {count} tokens, which reshape={reshape} does not fit on {size[0]} x {size[1]} pixels;"
        " give the rows x columns of its patches, such as reshape=14x14"
    )


def _read(reshape: str) -> tuple[int, int] | None:
    """Rows and columns from text; None if the text does not give them."""
    if reshape in ("", "auto"):
        return None
    if not (read := re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", reshape)):
        raise XaiboardError(f"reshape must be auto, or rows x columns, such as 14x14; got '{reshape}'")
    return int(read[1]), int(read[2])


def _grid(
    sizes: tuple[int, ...], image: tuple[int, int], wanted: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Rows and columns of what has these sizes apart from its channels; None if it does not fit.

    Args:
        sizes: rows and columns of a map, or the number of tokens.
        image: rows and columns of the images.
        wanted: the rows and columns that it must have, if they are given.
    """
    if len(sizes) == 2:
        rows, columns = sizes
        return (rows, columns) if wanted in (None, sizes) else None
    (count,) = sizes
    if wanted is None:
        return _usual_grid(count, image)
    beside = count - wanted[0] * wanted[1]
    if (
        beside == 1
        and (all_patches := _usual_grid(count, image))
        and all_patches[0] * all_patches[1] == count
    ):
        return None  # all tokens are square patches of the image, so that none of them is a class token
    return wanted if beside in (0, 1) else None


def _usual_grid(count: int, image: tuple[int, int]) -> tuple[int, int] | None:
    """Rows and columns of square patches without overlap, behind as few tokens as possible, which are fewer."""
    height, width = image
    for extra in range(min(EXTRA + 1, (count + 1) // 2)):
        for side in range(1, min(height, width) + 1):
            if height % side == width % side == 0 and (height // side) * (width // side) == count - extra:
                return height // side, width // side
    return None
