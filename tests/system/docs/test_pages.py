"""The code of the documents runs, page by page, in a reader's folder."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from helpers import ROOT, Block, blocks, lines, prepare
from xaiboard.benchmark.cli import commands
from xaiboard.benchmark.report import section
from xaiboard.benchmark.report.section import sections

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "docs").rglob("*.md")
    if "_build" not in path.parts
    if any(block.language in ("sh", "python") for block in blocks(path.relative_to(ROOT).as_posix()))
)


def test_documents_have_code() -> None:
    assert {"docs/tutorials/method.md", "docs/how-to/plug-ins.md", "docs/reference/python.md"} <= set(
        DOCUMENTS
    )


@pytest.fixture(autouse=True)
def registered_sections() -> Iterator[None]:
    """Takes back the sections that the plug-ins of a page register."""
    before = {made.name: made for made in sections()}
    yield
    section._REGISTER.by_name.clear()
    section._REGISTER.by_name.update(before)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_code_runs(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registries: None) -> None:
    prepare(tmp_path, document)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    with torch.random.fork_rng():
        for block in blocks(document):
            if block.language == "sh":
                run(block)
            elif block.language == "python" and not block.file:
                exec(compile(block.text, document, "exec"), names)  # noqa: S102 - the document's own lines


def run(block: Block) -> None:
    """The suite's commands in this process, which has loaded torch already; what runs side by side in a shell."""
    if "&" in block.text:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(["bash", "-eu", "-c", block.text], check=True, env={**os.environ, "PATH": path})
        return
    for line in lines(block):
        program, *arguments = shlex.split(line)
        assert program == "xaiboard", line
        assert not commands.main(arguments, prog_name="xaiboard", standalone_mode=False), line
        if arguments[0] == "run" and "--out" in arguments and "--dry-run" not in arguments:
            table = Path(arguments[arguments.index("--out") + 1]) / "leaderboard.csv"
            assert table.read_text().count(",ok,") > 0, line


def test_the_parts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the example of the Python page ends with: a score for each of its images."""
    monkeypatch.chdir(tmp_path)
    (block,) = [block for block in blocks("docs/reference/python.md") if block.language == "python"]
    names: dict[str, object] = {"__name__": "__main__"}
    exec(block.text, names)  # noqa: S102 - the document's own lines
    gini = names["gini"]
    assert isinstance(gini, torch.Tensor)
    assert gini.shape == (8,)


def run_blocks(document: str, name: str, folder: Path) -> None:
    """The commands of a document that speak of a file."""
    prepare(folder, document)
    for block in blocks(document):
        if block.language == "sh" and name in block.text:
            run(block)


def test_a_plug_ins_section_is_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registries: None
) -> None:
    monkeypatch.chdir(tmp_path)
    run_blocks("docs/how-to/plug-ins.md", "sides.py", tmp_path)
    page = Path("runs/sides/leaderboard.md").read_text("utf-8")
    assert "Sides" in page
    assert "Mean share of the magnitude in the left half" in page
    assert len(pd.read_csv("runs/sides/sides.csv")) == 2


def test_what_the_published_copy_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_blocks("docs/how-to/publish.md", "less.toml", tmp_path)
    whole, copy = (
        pd.read_parquet(f"{folder}/scores.parquet") for folder in ("runs/whole", "published/small")
    )
    assert "deletion.normalised" in set(whole["metric"])
    assert "deletion.normalised" not in set(copy["metric"])
    cells = pd.read_csv("published/small/cells.csv")
    assert not cells["settings"].str.contains("baseline=blur").any()
    assert len(cells) == 4
    assert not Path("published/small/records").exists()
