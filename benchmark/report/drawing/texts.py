"""Room for the texts of a figure: how wide they are, where they break, how they are kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

BREAKS = "_[,=.@: "
"""Signs after which a name may go on in the next line; of a bracket before it."""

HINTED, HINTED_BOLD = 1.025, 1.045
"""How much wider letters may be in a PNG, where they are fitted to pixels, than in the plane."""


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in inches of a text whose font has ``size`` points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return (HINTED_BOLD if bold else HINTED) * float(width) / 72


def wrap(text: str, width: float, size: float, *, breaks: str = BREAKS, bold: bool = False) -> list[str]:
    """The lines of a text, none wider than ``width`` inches: broken after ``breaks``, or within a long word."""
    lines = [""]
    for piece in _pieces(text, breaks):
        if text_width(lines[-1] + piece.rstrip(), size, bold=bold) <= width:
            lines[-1] += piece
            continue
        lines.extend([""] if lines[-1] else [])
        for sign in piece:
            if text_width(lines[-1] + sign.rstrip(), size, bold=bold) > width and lines[-1]:
                lines.append("")
            lines[-1] += sign
    return [line.rstrip() for line in lines]


def _pieces(text: str, breaks: str) -> list[str]:
    """A text in parts that are kept together; a bracket starts one."""
    pieces = [""]
    for sign in text:
        if sign == "[" and "[" in breaks:
            pieces.append("")
        pieces[-1] += sign
        if sign in breaks and sign != "[":
            pieces.append("")
    return [piece for piece in pieces if piece]


def whole_words(names: Sequence[str], width: float, size: float) -> bool:
    """Whether :func:`wrap` breaks no word of the names."""
    return all(text_width(piece, size) <= width for name in names for piece in _pieces(name, BREAKS))


def shorten(text: str, width: float, size: float) -> str:
    """The text, or its start, an ellipsis and its end where it is wider than ``width`` inches."""
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text) - 1  # as many letters are kept
    while low < high:
        kept = (low + high + 1) // 2
        low, high = (kept, high) if text_width(_ends(text, kept), size) <= width else (low, kept - 1)
    return _ends(text, low)


def _ends(text: str, kept: int) -> str:
    """The first and last letters of a text, ``kept`` in all, around an ellipsis."""
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> np.ndarray:
    """Places as near as can be to the ``wanted`` ones, at least ``gap`` apart and within ``low`` and ``high``.

    The sum of squared shifts is the least; equal wishes keep their order. Where there is no room for all, they reach
    beyond ``high``.

    Args:
        wanted: places, ascending.
        gap: between two neighbours.
        low: of the first.
        high: of the last.
    """
    steps = gap * np.arange(len(wanted))
    groups: list[tuple[float, int]] = []  # mean of the wishes less their steps, and how many share it
    for wish in np.asarray(wanted, dtype=float) - steps:
        mean, size = float(wish), 1
        while groups and groups[-1][0] >= mean:
            other, count = groups.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        groups.append((mean, size))
    placed = np.repeat([mean for mean, _ in groups], [size for _, size in groups])
    last = high - (steps[-1] if len(steps) else 0)
    return placed.clip(low, max(low, last)) + steps
