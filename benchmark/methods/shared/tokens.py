"""Tokens of a transformer as a map of the image."""

from __future__ import annotations

import re

from torch import Tensor

from ...errors import XaiboardError

EXTRA = 8
"""Largest number of tokens in front of those of patches, such as class, distillation and register tokens."""


def as_map(tokens: Tensor, x: Tensor, layer: str, reshape: str) -> Tensor:
    """Tokens ``(B, N, D)``, or maps with channels last ``(B, H', W', D)``, as maps ``(B, D, H', W')``.

    Args:
        tokens: a layer's output.
        x: the images, ``(B, C, H, W)``.
        layer: name of the layer, for messages.
        reshape: ``auto``: patches are square, and tokens in front of those of patches are dropped. Or rows and columns,
            such as ``14x14``; what is left over in front is dropped.

    Raises:
        XaiboardError: the tokens do not fit the image.
    """
    if not reshape:
        raise XaiboardError(
            f"layer '{layer}' gives {tuple(tokens.shape[1:])} an image, which is no map; give reshape=auto for tokens,"
            " or rows x columns, such as reshape=14x14, or another layer="
        )
    if tokens.dim() == 4:
        return tokens.permute(0, 3, 1, 2)
    if tokens.dim() != 3:
        raise XaiboardError(
            f"layer '{layer}' gives {tuple(tokens.shape[1:])} an image, which are no tokens; give another layer="
        )
    count = tokens.shape[1]
    rows, columns = _usual_grid(count, x, layer) if reshape == "auto" else _grid(reshape, count, layer)
    return tokens[:, count - rows * columns :].mT.unflatten(2, (rows, columns))


def _grid(reshape: str, count: int, layer: str) -> tuple[int, int]:
    """Rows and columns from text."""
    read = re.fullmatch(r"(\d+)x(\d+)", reshape)
    rows, columns = (int(read[1]), int(read[2])) if read else (0, 0)
    if not 0 < rows * columns <= count:
        raise XaiboardError(
            f"reshape must be auto, or rows x columns of at most the {count} tokens of layer '{layer}', such as 14x14;"
            f" got '{reshape}'"
        )
    return rows, columns


def _usual_grid(count: int, x: Tensor, layer: str) -> tuple[int, int]:
    """Rows and columns of square patches without overlap, with as few tokens in front as possible."""
    height, width = x.shape[2:]
    for extra in range(min(EXTRA + 1, count)):
        for side in range(1, min(height, width) + 1):
            if height % side == width % side == 0 and (height // side) * (width // side) == count - extra:
                return height // side, width // side
    raise XaiboardError(
        f"the {count} tokens of layer '{layer}' are no square patches of {height} x {width} pixels; give their rows and"
        " columns, such as reshape=14x14"
    )
