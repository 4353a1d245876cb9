"""What a notebook shows of a run: its leaderboard as inert HTML, and its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import cast

from matplotlib.figure import Figure

from ..errors import XaiboardError, unknown
from .console import HOW_TO_READ, boards
from .drawing.canvas import DPI, taken
from .results import Results
from .section import sections
from .worth_knowing import worth_knowing


class Picture(Figure):
    """A figure that every notebook shows, whichever backend matplotlib has there."""

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png", dpi=DPI)
        return file.getvalue()


def picture(results: Results, kind: str, dataset: str | None = None) -> Picture:
    """A figure of the report as matplotlib has it, to be shown, changed, or saved in any format.

    Args:
        results: of the run.
        kind: the first part of the figure's name: ``curves``, ``gallery``.
        dataset: of the run; None for its only one.

    Raises:
        XaiboardError: there is nothing to draw, no such data set, or several and none is named.
    """
    if dataset is None and len(results.datasets) != 1:
        raise XaiboardError(f"the run has the data sets {', '.join(results.datasets)}; name one: dataset='…'")
    name = dataset or results.datasets[0]
    if name not in results.datasets:
        raise unknown("data set", name, results.datasets)
    draw = next(section.figures[kind] for section in sections() if kind in section.figures)
    with taken() as figures:
        if not draw(results, name, Path(f"{kind}.png")):
            raise XaiboardError(f"the run has nothing to draw as '{kind}' of {name}")
    (figure,) = figures
    figure.__class__ = Picture  # it was made by those who draw files, and has no more state than they gave it
    return cast("Picture", figure)


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
