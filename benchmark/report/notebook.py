"""What a notebook shows of a run: its leaderboard as inert HTML, and its pictures as figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from ..errors import XaiboardError
from ..toolkit.files import file_name
from .console import HOW_TO_READ, boards
from .results import Results
from .worth_knowing import worth_knowing

DPI = 150
"""Pixels of a picture in an inch."""


class Picture(Figure):
    """A figure that every notebook shows, whichever backend matplotlib has there."""

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png", dpi=DPI)
        return file.getvalue()


def picture(results: Results, kind: str, dataset: str | None = None) -> Picture:
    """A picture that the run has drawn, as a figure of its size.

    Args:
        results: of the run.
        kind: the first part of the picture's name: ``curves``, ``gallery``.
        dataset: of the run; None for its only one.

    Raises:
        XaiboardError: there is no such picture, or the run has several data sets and none is named.
    """
    from matplotlib.image import imread

    if dataset is None and len(results.datasets) != 1:
        raise XaiboardError(f"the run has the data sets {', '.join(results.datasets)}; name one: dataset='…'")
    path = results.folder / f"{kind}-{file_name(dataset or results.datasets[0])}.png"
    if not path.is_file():
        raise XaiboardError(f"there is no '{path}': the run has nothing to draw there, or the file was moved")
    pixels = imread(path)
    height, width = pixels.shape[:2]
    figure = Picture(figsize=(width / DPI, height / DPI), dpi=DPI)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.imshow(pixels, interpolation="none", aspect="auto")
    axis.set_axis_off()
    return figure


def leaderboard_html(folder: Path, results: Results) -> str:
    """The leaderboard that the command line prints, as HTML without scripts, styles or links."""
    parts = []
    for dataset in results.datasets:
        for title, board in boards(results, dataset):
            parts += [f"<p><b>{escape(title)}</b></p>", _table(board.headings, board.lines)]
    if parts:
        parts.append(f"<p>{escape(HOW_TO_READ)}</p>")
    parts += [f"<p>{escape(sentence)}</p>" for sentence in worth_knowing(results)]
    return "\n".join([*parts, f"<p>{escape(str(folder))}</p>"])


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = ["".join(f"<td>{escape(cell)}</td>" for cell in line) for line in lines]
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
