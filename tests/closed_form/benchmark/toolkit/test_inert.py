"""Text that only shows itself: against a Markdown parser, and read back from a CSV as it was."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pandas as pd
import pytest
from markdown_it import MarkdownIt
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.store.columns import CELLS, SCORES
from xaiboard.benchmark.store.tables import read_cells, write_csv, write_tables
from xaiboard.benchmark.toolkit.inert import csv_cell, from_csv_cell, markdown_text
from xaiboard.benchmark.toolkit.text_table import text_table

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("x")', "=cmd|' /C calc'!A0",
    "-", "--1", "＝1", "'=1", "''=1",
]  # fmt: skip
HARMLESS = [
    "",
    "'",
    "''a",
    "'a",
    "lens_recall.chance",
    "deletion[steps=64]",
    "-1.5",
    "+1e-3",
    "-inf",
    ".5",
    "a=b",
    "ü",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_starts_a_formula_and_each_is_read_back(text: str) -> None:
    assert csv_cell(text) == f"'{text}"
    assert from_csv_cell(csv_cell(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_are_cells_as_they_are(text: str) -> None:
    assert csv_cell(text) == text
    assert from_csv_cell(text) == text


def test_a_csv_with_formulas_in_cells_and_columns(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"=a": ["=b", "c"], "words": pd.Categorical(["@d", "@d"]), "number": [-1.5, float("nan")]}
    )
    write_csv(table, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == "'=a,words,number\n'=b,'@d,-1.5\nc,'@d,\n"


def test_cells_are_read_as_they_were_written(tmp_path: Path) -> None:
    row = dict.fromkeys(CELLS, "") | {"note": "=1+1", "model": "'+x", "status": "failed", "control": False}
    cells = pd.DataFrame([{**row, "n": None, "seconds": -1.5, "forward": 3, "backward": 0}])
    nothing = pd.DataFrame(columns=SCORES), pd.DataFrame()
    write_tables(tmp_path, cells, *nothing)
    text = (tmp_path / "cells.csv").read_text()
    assert ",'=1+1," in text
    assert ",-1.5," in text
    read = read_cells(tmp_path)
    assert (read["note"][0], read["model"][0]) == ("=1+1", "'+x")
    write_tables(tmp_path, read, *nothing)
    assert (tmp_path / "cells.csv").read_text() == text


LIVE = [
    "<script>alert(1)</script>", "<!-- x -->", "<?x?>", "</td>", "<b onclick=x>", "[l](javascript:x)", "![i](http://x/y)",
    "`code`", "*a* **b**", "_a_ __b__", "~~gone~~", "<https://x.y>", "https://x.y/z", "www.x.y", "&lt;b&gt; &#60;",
    "\\*a\\*", "$x$", "a\\](b)", "[a]\\(b)", "__init__() takes 1", "a@b.cd",
]  # fmt: skip


@pytest.mark.parametrize("text", LIVE)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    renderer = MarkdownIt("gfm-like", {"linkify": False})
    assert renderer.render(f"x {markdown_text(text)} x") == f"<p>x {escape(text)} x</p>\n"


@pytest.mark.parametrize("text", LIVE)
def test_a_cell_of_a_table_shows_the_text_and_nothing_else(text: str) -> None:
    page = MarkdownIt("gfm-like", {"linkify": False}).render(
        markdown(pd.DataFrame({"a|b": [f"{text} | x\n# y\x1b[2J"]}))
    )
    assert f"<td>{escape(text)} | x # y [2J</td>" in page
    assert "<th>a|b</th>" in page


@pytest.mark.parametrize("text", ["https://x.y", "www.x.y", "a@b.cd"])
def test_addresses_are_no_links(text: str) -> None:
    """GitHub makes links of bare addresses; it does not where a sign in them is escaped."""
    assert markdown_text(text) != text


@pytest.mark.parametrize(
    "name",
    ["lens_recall.chance", "deletion[baseline=mean,steps=28]", "sign_noise[eps=0.05]", "lipcnn.hkr", "saliency †",
     "image-folder:images/birds", "0.52 (0.31–0.74)", "#2.5 (1–4)", "a < b <= c & d", "3 : 2 (1 undecided)"],
)  # fmt: skip
def test_names_of_today_stay_as_they_are(name: str) -> None:
    assert markdown_text(name) == name


def test_a_table_for_a_terminal_obeys_nothing() -> None:
    assert text_table(["a"], [["b\x1b[31m\nc\u202e|d"]]).splitlines()[-1] == "| b [31m c \\|d |"
