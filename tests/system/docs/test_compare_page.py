"""The answer that the page on comparisons shows is what its command prints."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import blocks, lines, prepare
from xaiboard.benchmark.cli import commands

PAGE = "docs/how-to/compare.md"


def test_the_answer_is_what_the_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path, PAGE)
    monkeypatch.chdir(tmp_path)
    command, shown = blocks(PAGE)[:2]
    (line,) = lines(command)
    printed = CliRunner().invoke(commands, shlex.split(line)[1:]).output.splitlines()
    said = [text for text in shown.text.splitlines() if text]
    assert len(said) > 5
    assert [text for text in printed if text.startswith(("|", "- ["))] == said
