"""What a user, a plug-in or a message has written is shown in a run's files, never obeyed."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import xaiboard.benchmark as xb
from markdown_it import MarkdownIt
from PIL import Image
from torch import Tensor, nn

MESSAGE = "=HYPERLINK('x') <script>alert(1)</script> | [l](javascript:x) **b** `c`"


def evil(x: Tensor) -> Tensor:
    raise xb.XaiboardError(MESSAGE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("inert")
    images = root / "<i>x [l](y) $z$"
    for split in ("train", "test"):
        for number, name in enumerate((r"=1 $\nothing$", "<b>")):
            (images / split / name).mkdir(parents=True)
            for index in range(2):
                pixels = np.full((8, 8), 60 + 90 * number + index, dtype=np.uint8)
                Image.fromarray(pixels).save(images / split / name / f"{index}.png")
    models = {
        name: nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
        for name in ("=1+1", "<u>net</u>", r"$\nothing$", "-1")
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(root)
        xb.run(
            dataset=f"image-folder:{images.name}", models=models, methods=["sobel", evil], metrics="gini", samples=4,
            out="run", progress=False,
        )  # fmt: skip
    return root / "run"


def test_no_cell_of_a_table_starts_a_formula(folder: Path) -> None:
    tables = list(folder.glob("*.csv"))
    assert len(tables) > 3
    cells = [cell for path in tables for row in csv.reader(path.open(newline="")) for cell in row]
    assert "'=1+1" in cells
    assert f"'{MESSAGE}" in cells
    number = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?")
    assert not [
        cell for cell in cells if cell.startswith(("=", "+", "-", "@")) and not number.fullmatch(cell)
    ]


def test_the_page_has_no_html_or_links(folder: Path) -> None:
    page = MarkdownIt("gfm-like", {"linkify": False}).render((folder / "leaderboard.md").read_text("utf-8"))
    assert "<td>=1+1" in page
    assert not {"script", "i", "u", "b", "a", "img", "strong"} & set(re.findall(r"<(\w+)", page))
    assert "image-folder:&lt;i&gt;x [l](y) $z$</h2>" in page


def test_tables_are_rebuilt_to_the_same_bytes(folder: Path) -> None:
    """Names are read back as they were, from the records and without them."""
    from xaiboard.benchmark.report.results import Results
    from xaiboard.benchmark.store.tables import write_tables

    before = (folder / "cells.csv").read_bytes()
    results = Results(folder)
    assert {"=1+1", "<u>net</u>", "-1"} < set(results.leaderboard["model"]) == set(results.cells["model"])
    write_tables(folder, results.cells, results.scores, results.curves)
    assert (folder / "cells.csv").read_bytes() == before
