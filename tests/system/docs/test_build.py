"""The pages are built without a warning, and their links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
]


def test_pages_are_built_without_warnings(tmp_path: Path) -> None:
    for library in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(library, reason=f"{library} builds the documents; the extra 'dev' has it")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(tmp_path)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    metrics = (tmp_path / "reference" / "metrics.html").read_text("utf-8")
    assert "deletion.win_rate" in metrics
    assert "generated:" not in metrics


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(document: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    for link in links:
        target = link.partition("#")[0]
        if target and "://" not in target:
            assert (document.parent / target).exists(), link


def test_every_page_is_in_a_table_of_contents() -> None:
    """Sphinx warns of pages that are in none; a page that no one can find is no page."""
    for index in (ROOT / "docs").glob("*/index.md"):
        listed = index.read_text("utf-8")
        for page in index.parent.glob("*.md"):
            assert page == index or f"\n{page.stem}\n" in listed, page
