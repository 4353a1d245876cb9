"""Verdicts on claims in the page: of a run, and on a page of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark.claims.table import CLAIMS, PARTS
from xaiboard.benchmark.claims.write import TABLE, TABLE_OF_PARTS
from xaiboard.benchmark.errors import XaiboardWarning
from xaiboard.benchmark.html_page.claims import claims_of, rows_of
from xaiboard.benchmark.html_page.make import make_report, write_claims_page
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.store.tables import csv_text

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.page

Open = Callable[..., "Page"]

HOSTILE = "<img src=x onerror=alert(1)>"

EFFECT = {
    "effect": 0.21,
    "ci_low": 0.15,
    "ci_high": 0.27,
    "page_low": 0.1,
    "page_high": 0.32,
    "m": 0.05,
    "n": 80,
}

HOLDING = {
    "id": "P1", "paper": "2206.06854", "text": HOSTILE, "verdict": "holds", "alone": "holds", "holds": "above",
    "networks": "5 a, 5 b", "unit": "seeds and images", "reproduce": "xaiboard claims x --only P1", **EFFECT,
}  # fmt: skip
UNKNOWN = {"id": "P2", "text": "people like it", "verdict": "not testable here", "why": "nobody was asked"}
PART = {
    "id": "P1",
    "dataset": "digits",
    "recipes": "a − b",
    "verdict": "holds",
    "counts": True,
    "holds": "above",
    **EFFECT,
}


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.DataFrame([HOLDING, UNKNOWN], columns=CLAIMS), pd.DataFrame([PART], columns=PARTS)


@pytest.fixture(scope="module")
def file(tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_claims_page(*tables, tmp_path_factory.mktemp("claims") / "claims.html")


def test_a_claim_is_picked_and_a_link_shows_it(show: Open, file: Path) -> None:
    page = show(file=file)
    page.wait_for_selector("#claims .tabulator-row")
    assert page.inner_text("#views") == "Claims"
    assert "2 claims: 1 holds, 1 not testable here." in page.inner_text("main")
    assert HOSTILE in page.inner_text("#claim")
    assert "0.210 (95 % alone: 0.150 to 0.270; with all claims: 0.100 to 0.320)" in page.inner_text("#claim")
    page.click("#claim-P2")
    assert "nobody was asked" in page.inner_text("#claim")
    again = show(page.url.partition("#")[2], file)
    again.wait_for_selector("#claims .tabulator-row")
    assert "nobody was asked" in again.inner_text("#claim")
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_mark_stands_on_its_side_of_the_margin(show: Open, file: Path) -> None:
    page = show(file=file)
    page.wait_for_selector("#claims .tabulator-row svg circle")
    mark = page.locator("#claims .tabulator-row svg").first
    effect, margin = mark.locator("circle").get_attribute("cx"), mark.locator(".margin").get_attribute("x1")
    low = mark.locator(".together").get_attribute("x1")
    assert float(margin or "nan") < float(low or "nan") < float(effect or "nan")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault(show: Open, file: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = show(file=file)
    page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
    page.wait_for_selector("#claims .tabulator-row")
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_the_page_of_a_run_shows_what_was_judged_in_its_folder(
    show: Open, small_run: xb.Run, tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    results = Results.of(small_run.results.cells, small_run.scores)
    for name, table in zip((TABLE, TABLE_OF_PARTS), tables, strict=True):
        (tmp_path / name).write_text(csv_text(table), "utf-8")
    results.folder = tmp_path
    page = tmp_path / "report.html"
    page.write_text(make_report(results), "utf-8")
    shown = show("view=claims", page)
    shown.wait_for_selector("#claims .tabulator-row")
    assert "people like it" in shown.inner_text("#claims")


def test_what_is_read_is_what_was_judged(tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path) -> None:
    assert claims_of(tmp_path) == {}
    for name, table in zip((TABLE, TABLE_OF_PARTS), tables, strict=True):
        (tmp_path / name).write_text(csv_text(table), "utf-8")
    assert claims_of(tmp_path) == rows_of(*tables)


def test_another_table_costs_the_view_alone(
    tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    (tmp_path / TABLE).write_text(csv_text(tables[0]), "utf-8")
    for text in (None, "", "id,part\nP1,all\n", "\0\n"):
        if text is not None:
            (tmp_path / TABLE_OF_PARTS).write_text(text, "utf-8")
        with pytest.warns(XaiboardWarning, match="is not a table of 'xaiboard claims'"):
            assert claims_of(tmp_path) == {}
