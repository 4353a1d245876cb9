"""The README is true: its examples run as a new user would run them, and its table is that of the results."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT, blocks, lines, prepare

README = (ROOT / "README.md").read_text("utf-8")
BIN = Path(sys.executable).parent

SHELL = [block for block in blocks("README.md") if block.language == "sh"]
PYTHON = [block for block in blocks("README.md") if block.language == "python"]


def examples() -> list[str]:
    """The commands; one that reads what the one before it wrote stands with that one, as workers share no folder."""
    found: list[str] = []
    for line in (line for block in SHELL[2:] for line in lines(block)):
        if re.match(r"xaiboard \w+ runs/", line):
            found[-1] += f" && {line}"
        else:
            found.append(line)
    return found


def example(command: str) -> object:
    """A command as a test's parameter."""
    # To join a published table is to rebuild all of it, with its figures: half a minute.
    return pytest.param(command, marks=pytest.mark.slow) if "--reuse" in command else command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new user's folder: the README's files, weights of their own model, images of their own."""
    here = tmp_path_factory.mktemp("newcomer")
    prepare(here, "README.md")
    return here


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(  # noqa: S602 - the README's own lines
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_size() -> None:
    assert len(README.encode()) <= 8192


def test_the_first_blocks_install_and_test() -> None:
    """Scripts read them: the first is what a new user does, the second what CI does."""
    install, test = SHELL[0].text.splitlines(), SHELL[1].text.splitlines()
    assert install == ["pip install -c constraints.txt -e .", "xaiboard run"]
    assert test == ['pip install -c constraints.txt -e ".[dev]"', "pytest -n auto --dist worksteal"]


@pytest.mark.parametrize("command", [example(command) for command in examples()])
def test_examples_of_the_shell(command: str, folder: Path) -> None:
    finished = run(command, folder)
    assert finished.returncode == 0, finished.stderr
    if " run " in command:
        out = re.search(r"--out (\S+)", command)
        table = folder / (out[1] if out else "runs/quick") / "leaderboard.csv"
        assert table.read_text().count(",ok,") > 0


def test_example_of_python(folder: Path) -> None:
    (block,) = [block for block in PYTHON if "xb.run" in block.text]
    finished = run(f"{sys.executable} - <<'END'\n{block.text}\nassert len(run.leaderboard)\nEND", folder)
    assert finished.returncode == 0, finished.stderr


def test_the_method_takes_five_lines() -> None:
    (block,) = [block for block in PYTHON if "squared_gradient" in block.text]
    assert len([line for line in block.text.splitlines() if line and not line.startswith("#")]) <= 5


def test_the_table_shown_is_that_of_the_results() -> None:
    page = (ROOT / "results/quick/leaderboard.md").read_text()
    shown = [line for line in README.splitlines() if line.startswith("| cnn.standard |")]
    assert len(shown) == 6
    assert all(line in page.splitlines() for line in shown)


def test_the_row_that_is_explained_is_in_the_table() -> None:
    """The two entries that "How to read a row" takes apart."""
    rows = [line for line in README.splitlines() if line.startswith("| cnn.standard |")]
    explained = re.findall(r"`([\d#.]+ \(\d+–\d+\)(?: ★)?)`", README)
    assert len(explained) == 2
    for entry in explained:
        assert any(f"| {entry} " in row for row in rows), entry
