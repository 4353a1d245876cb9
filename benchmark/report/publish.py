"""Published copies of runs: what people cite and what tables are rebuilt from, in files that a repository can hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import XaiboardError
from ..store.kept import Kept, write_kept
from ..store.maps import IMAGES, MAPS, read_identified, read_images
from ..store.run_file import FILE as RUN
from ..store.run_file import LICENCE, OUTPUTS, read_run, write_run
from ..store.seal import pass_doubts_on, seal_files
from ..store.tables import CURVES_FILE, SMALL_CURVES, write_tables
from ..toolkit.files import require_path, write_file, writing
from .drawing.formats import FORMATS
from .left_out import Rule, leave_out, require_hits
from .results import Results
from .write import write

WORDS = (RUN, "columns.json")
"""What was asked for, and what the names in the tables mean."""

SOURCES = (*WORDS, "cells.csv", "scores.parquet", CURVES_FILE, SMALL_CURVES, MAPS, IMAGES)
"""What everything else in a folder follows from."""

CITED = ("leaderboard.csv", "leaderboard.md", "models.csv", "robustness.csv", "croissant.json")
"""What is published whatever its size: people read it where there is no xaiboard."""

BY_COLUMN = ["dataset", "metric", "settings", "perturbation", "model", "method", "sample"]
"""The order of published scores: equal ones lie side by side."""

DERIVED = 700_000
"""Bytes above which a table that ``xaiboard leaderboard`` rebuilds is not published."""

PICTURE = 130_000
"""Bytes of a picture for a screen."""

LARGEST = 20_000_000
"""Bytes of the largest file that is published."""


def publish(
    run: Path, target: Path, rules: Sequence[Rule] = (), licence: str = "", *, scores_alone: bool = False
) -> list[str]:
    """Writes the published copy of a run: its sources less what ``rules`` leave out, its page, tables and pictures.

    Args:
        run: folder of a run whose tables are up to date, or of whole published results.
        target: folder to write. An earlier published copy there is replaced, once the new one is complete.
        rules: what is left out.
        licence: of the copy, its SPDX name or address, for ``run.json`` and ``croissant.json``; none is said if empty.
        scores_alone: leave out maps, curves, what networks computed (by which another run would know that it may take
            the scores), and everything that follows from scores and cells.

    Returns:
        Names of the files in ``target``, sorted.

    Raises:
        XaiboardError: the run cannot be read, nothing is left of it, a file is too large to publish, or ``target`` is
            something else than a published copy.
    """
    _check_target(run, target)
    whole = Results(run)
    tables = whole.cells, whole.scores, whole.curves
    require_hits(whole.scores, whole.glossary, rules)
    cells, scores, curves = (leave_out(table, whole.glossary, rules) for table in tables)
    if scores_alone:
        curves = curves.iloc[:0]
    if not len(cells):
        raise XaiboardError(f"the rules leave nothing of the run in '{run}'; write narrower ones")
    maps = None if scores_alone else Kept(read_identified(run), read_images(run)).named_in(cells)
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            copy = Path(folder, target.name)
            copy.mkdir()
            pictures = [] if scores_alone else run.glob("*.png")  # of which some are drawn again
            for path in [*(run / name for name in WORDS if (run / name).is_file()), *pictures]:
                shutil.copyfile(path, copy / path.name)
            _change(copy, ({LICENCE: licence} if licence else {}) | ({OUTPUTS: {}} if scores_alone else {}))
            seal_files(copy, (), only=True)  # what the seal of the run names is not all in the copy
            write_tables(
                copy, cells, scores.sort_values(BY_COLUMN, kind="stable"), curves, small=True
            )  # a tenth smaller
            if maps is not None:
                write_kept(copy, maps)
            if scores_alone:
                _describe_what_is_there(copy)
            pass_doubts_on(run, copy, (MAPS, IMAGES))
            seal_files(copy, ["columns.json"])
            if not scores_alone:
                write(copy, Results(copy))
            _make_small(copy)
            seal_files(copy, (path.name for path in copy.iterdir() if path.name != RUN), only=True)
            if target.exists():
                target.rename(Path(folder, "replaced"))
            copy.rename(target)
    return sorted(path.name for path in target.iterdir())


def _change(folder: Path, conditions: Mapping[str, Any]) -> None:
    """Gives ``run.json`` other conditions than the run has."""
    if conditions and (run := read_run(folder)):
        write_run(folder, replace(run, conditions={**run.conditions, **conditions}))


def _describe_what_is_there(folder: Path) -> None:
    """Takes out of ``columns.json`` the descriptions of files that the folder has not."""
    path = folder / "columns.json"
    if not path.is_file():  # of an early version
        return
    said = json.loads(path.read_text("utf-8"))
    said["files"] = {name: of for name, of in said["files"].items() if (folder / name).exists()}
    write_file(path, lambda to: to.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", "utf-8"))


def _check_target(run: Path, target: Path) -> None:
    """Refuses to replace anything but a published copy.

    Raises:
        XaiboardError: ``target`` is the run itself, a run with records, no folder of results, or holds files of others.
    """
    require_path(target)
    own, other = run.resolve(), target.resolve()
    if own == other or own in other.parents or other in own.parents:
        raise XaiboardError(
            f"'{target}' is the run '{run}' itself, or one lies in the other; give the copy another folder"
        )
    if target.exists() and ((target / "records").exists() or read_run(target) is None):
        raise XaiboardError(
            f"'{target}' is no published copy, and would be replaced; give another folder, or remove it yourself"
        )
    if not target.is_dir():
        return
    for path in sorted(target.iterdir()):
        if path.is_dir() or (
            path.name not in (*SOURCES, *CITED) and path.suffix[1:] not in ("csv", "html", *FORMATS)
        ):
            raise XaiboardError(
                f"'{target}' holds '{path.name}', which is no part of a published copy and would be lost; move it away"
            )


def _make_small(folder: Path) -> None:
    """Shrinks pictures, and deletes large tables that can be rebuilt.

    Raises:
        XaiboardError: another file is too large.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix == ".png":
            shrink(path)
        elif path.name not in (*SOURCES, *CITED) and path.stat().st_size > DERIVED:
            path.unlink()
        elif path.stat().st_size > LARGEST:
            raise XaiboardError(
                f"'{path.name}' would have {path.stat().st_size / 1e6:.0f} MB, more than the {LARGEST / 1e6:.0f} that a"
                " published file may have; leave more scores out"
            )


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
