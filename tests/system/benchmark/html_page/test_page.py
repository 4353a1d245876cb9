"""The page as a file: what is in it, when it is written, and what it is made of."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark import cli
from xaiboard.benchmark.html_page.cards import cards
from xaiboard.benchmark.html_page.make import make_report
from xaiboard.benchmark.html_page.vendored import FOLDER, libraries
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.store.verify import verify

pytestmark = pytest.mark.page

PUBLISHED = Path(__file__).parents[4] / "results"


def test_a_run_ends_with_its_page_sealed(small_run: xb.Run) -> None:
    page = small_run.folder / "report.html"
    assert page.stat().st_size < 1_000_000
    problems = verify(small_run.folder).problems
    assert not [text for text in problems if "report.html" in text]
    page.write_text(page.read_text("utf-8") + " ", "utf-8")
    assert [text for text in verify(small_run.folder).problems if "report.html" in text]
    assert small_run.report() == page
    assert not [text for text in verify(small_run.folder).problems if "report.html" in text]


def test_the_same_tables_make_the_same_page(small_run: xb.Run, page_file: Path) -> None:
    text = page_file.read_text("utf-8")
    assert make_report(Results(small_run.folder)) == text
    assert str(small_run.folder) not in text


def test_the_command_writes_it(
    small_run: xb.Run, page_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = page_file.read_bytes()
    page_file.unlink()
    monkeypatch.setattr("sys.argv", ["xaiboard", "report", str(small_run.folder)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == str(page_file)
    assert page_file.read_bytes() == before


def test_libraries_are_those_that_are_listed() -> None:
    for one in libraries():
        assert one["licence"] in ("MIT", "ISC")
        assert any(name.endswith(".LICENSE") for name in one["files"])
        for name, digest in one["files"].items():
            assert sha256((FOLDER / name).read_bytes()).hexdigest() == digest
    listed = {name for one in libraries() for name in one["files"]}
    assert {path.name for path in FOLDER.iterdir()} == listed | {"vendored.json"}


def test_a_run_without_scores_or_methods_has_a_page() -> None:
    cells = pd.read_csv(PUBLISHED / "models" / "cells.csv", keep_default_na=False)
    scores = pd.read_parquet(PUBLISHED / "models" / "scores.parquet")
    few = cells[cells["model"].isin(["cnn.standard", "lipcnn.hkr"])]
    of_models = scores[scores["model"].isin(few["model"])]
    said = json.loads((PUBLISHED / "models" / "columns.json").read_text("utf-8"))
    assert len(make_report(Results.of(few, of_models, said=said))) > 100_000
    assert len(make_report(Results.of(few.assign(status="failed"), of_models.iloc[:0], said=said))) > 100_000


def test_a_card_says_what_is_known_without_metrics_of_models(small_run: xb.Run) -> None:
    scores = small_run.scores
    explained = scores[scores["method"] != ""]
    found = {card["model"]: card for card in cards(Results.of(small_run.results.cells, explained))}
    own = explained[explained["model"] == "plain"].drop_duplicates("sample")
    assert (found["plain"]["right"], found["plain"]["samples"]) == (own["correct"].sum(), 24)
    assert found["plain"]["weights"]
    assert found["plain"]["numbers"] == []


def test_published_pages_are_small() -> None:
    sizes = {page.parent.name: page.stat().st_size for page in PUBLISHED.glob("*/report.html")}
    assert set(sizes) >= {"quick", "fashion-mnist", "standard", "lens"}
    assert {name: size for name, size in sizes.items() if size > 2_500_000} == {}
