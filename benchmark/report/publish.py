"""Published copies of runs: what people cite and what tables are rebuilt from, in files that a repository can hold."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ..errors import XaiboardError
from ..store.tables import write_cells, write_csv, write_scores
from ..toolkit.files import write_file
from .left_out import Rule, leave_out
from .results import Results
from .write import write

SOURCES = ("run.json", "columns.json", "cells.csv", "scores.parquet", "curves.csv")
"""What everything else in a folder follows from."""

CITED = ("leaderboard.csv", "leaderboard.md", "models.csv", "robustness.csv")
"""What is published whatever its size: people read it where there is no xaiboard."""

DERIVED = 1_000_000
"""Bytes above which a table that ``xaiboard leaderboard`` rebuilds is not published."""

PICTURE = 300_000
"""Bytes of a picture for a screen."""

LARGEST = 20_000_000
"""Bytes of the largest file that is published."""


def publish(run: Path, target: Path, rules: Sequence[Rule] = ()) -> list[str]:
    """Writes the published copy of a run: its sources less what ``rules`` leave out, its page, tables and pictures.

    Args:
        run: folder of a run whose tables are up to date, or of whole published results.
        target: folder to write; what is in it is replaced.
        rules: what is left out.

    Returns:
        Names of the files in ``target``, sorted.

    Raises:
        XaiboardError: the run cannot be read, nothing is left of it, or a file is too large to publish.
    """
    whole = Results(run)
    tables = whole.cells, whole.scores, whole.curves
    cells, scores, curves = (leave_out(table, whole.glossary, rules) for table in tables)
    if not len(cells):
        raise XaiboardError(f"the rules leave nothing of the run in '{run}'; write narrower ones")
    pictures = [(path.name, path.read_bytes()) for path in sorted(run.glob("*.png"))]
    conditions = (run / "run.json").read_bytes()
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    write_file(target / "run.json", lambda path: path.write_bytes(conditions))
    write_cells(target, cells)
    write_scores(target, scores)
    if len(curves):
        write_file(target / "curves.csv", lambda path: write_csv(curves, path))
    for name, content in pictures:  # those that need maps; the others are drawn again
        write_file(target / name, lambda path, content=content: path.write_bytes(content))
    write(target, Results(target))
    for path in sorted(target.iterdir()):
        if path.suffix == ".png":
            shrink(path)
        elif path.name not in (*SOURCES, *CITED) and path.stat().st_size > DERIVED:
            path.unlink()
    return _check_sizes(target)


def shrink(path: Path, limit: int = PICTURE) -> None:
    """Makes a PNG smaller until it has at most ``limit`` bytes: fewer colours first, then fewer pixels."""
    from PIL import Image

    if path.stat().st_size <= limit:
        return
    with Image.open(path) as opened:
        whole = opened.convert("RGB")
    scale = 1.0
    while True:
        size = (max(1, round(whole.width * scale)), max(1, round(whole.height * scale)))
        smaller = whole if scale == 1 else whole.resize(size, Image.Resampling.LANCZOS)
        for colours in (256, 128, 64):
            few = smaller.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
            write_file(path, lambda temporary, few=few: few.save(temporary, "PNG", optimize=True))
            if path.stat().st_size <= limit:
                return
        scale *= 0.85


def _check_sizes(target: Path) -> list[str]:
    for path in sorted(target.iterdir()):
        if path.stat().st_size > LARGEST:
            raise XaiboardError(
                f"'{path}' has {path.stat().st_size / 1e6:.0f} MB, more than the {LARGEST / 1e6:.0f} that a published"
                " file may have; leave more scores out"
            )
    return sorted(path.name for path in target.iterdir())
