"""What all figures share: sizes of paper columns, one hand for texts, and files that are the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import matplotlib

from ...toolkit.files import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

matplotlib.use("Agg", force=False)

COLUMN, PAGE = 3.3, 6.8
"""Width of a figure in inches: of one column of a paper, or of two."""

DPI = 180
"""Pixels of a PNG in an inch: the widest figure has 1,224 pixels."""

TEXT, HEADING, SMALL = 7, 8, 6
"""Size of texts in points, of headings, and of names for which there is little room."""

_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Without dates and versions, which would make other bytes of the same figure."""

_FILES: dict[Any, Any] = {"svg.hashsalt": "xaiboard", "pdf.fonttype": 42, "image.composite_image": False}
"""Names in an SVG are the same each time, fonts in a PDF are those that publishers take, each image is one of its own.
"""

_LOOK: dict[Any, Any] = {
    "font.size": TEXT,
    "axes.titlesize": HEADING,
    "axes.labelsize": TEXT,
    "axes.linewidth": 0.6,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": TEXT,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Figures that are made inside have the texts and lines of a paper's column."""
    with matplotlib.rc_context(_LOOK):
        yield


_taken: ContextVar[list[Figure] | None] = ContextVar("_taken", default=None)


@contextmanager
def taken() -> Iterator[list[Figure]]:
    """Figures that are saved inside are in the list, and no files are written."""
    figures: list[Figure] = []
    token = _taken.set(figures)
    try:
        yield figures
    finally:
        _taken.reset(token)


def save(figure: Figure, path: Path) -> None:
    """Writes a figure, in the format that the suffix of ``path`` names, and closes it."""
    from matplotlib import pyplot

    show_dollars(figure)
    if (figures := _taken.get()) is None:
        _write(figure, path)
    else:
        figure.draw_without_rendering()  # ticks are made when they are drawn, and must look as inside of drawing()
        figures.append(figure)
    pyplot.close(figure)


def _write(figure: Figure, path: Path) -> None:
    kind = path.suffix[1:]
    with matplotlib.rc_context(_FILES):
        write_file(
            path,
            lambda temporary: figure.savefig(temporary, dpi=DPI, format=kind, metadata=_METADATA[kind]),
        )


def show_dollars(figure: Figure) -> None:
    """Lets the names in a figure have dollars: between two of them matplotlib would read a formula."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        cast("Text", text).set_parse_math(False)
