"""The page in a browser: people sort, filter, compare, look at images, and send links."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark.html_page.make import make_report
from xaiboard.benchmark.html_page.names import Names
from xaiboard.benchmark.html_page.order import order
from xaiboard.benchmark.report.results import Results

if TYPE_CHECKING:
    from playwright.sync_api import Page

VIEWS = ("overview", "leaderboard", "compare", "figures", "samples", "cells", "models")

Open = Callable[..., "Page"]

HOSTILE = "<img src=x onerror=alert(1)>"
"""The name of one of the models."""


def column(page: Page, name: str) -> list[str]:
    """What the cells of a column say, from top to bottom."""
    return page.locator(f'.tabulator-row .tabulator-cell[tabulator-field="{name}"]').all_inner_texts()


def methods_of(page: Page) -> list[str]:
    page.wait_for_selector(".tabulator-row")
    return [text.removesuffix(" †") for text in column(page, "name")]


def test_the_overview_says_what_was_run(show: Open, small_run: xb.Run) -> None:
    page = show()
    text = page.inner_text("main")
    assert "digits (24 images)" in text
    assert HOSTILE in text
    assert f"torch {version('torch')}" in text
    assert text.count(f"xaiboard {version('xaiboard')}") == 2  # by which it was run, and by which the page is
    digest = small_run.folder.joinpath("run.json").read_text()
    assert page.inner_text("footer code") in digest


def test_the_headline_order_says_who_is_left_out_and_nothing_if_nobody_is(
    show: Open, small_run: xb.Run, tmp_path: Path
) -> None:
    assert "some of these columns: raises." in show().inner_text("main")
    cells = small_run.results.cells
    whole = tmp_path / "whole.html"
    whole.write_text(make_report(Results.of(cells[cells["method"] != "raises"], small_run.scores)), "utf-8")
    text = show(file=whole).inner_text("main")
    assert "Mean rank over the columns" in text
    assert "Left out" not in text
    assert "null" not in text.split()


def test_a_click_on_a_heading_sorts_the_leaderboard(show: Open, small_run: xb.Run) -> None:
    page = show("view=leaderboard&model=plain")
    board = small_run.leaderboard
    rows = board[(board["model"] == "plain") & (board["metric"] == "gini") & (board["status"] == "ok")]
    page.wait_for_selector(".tabulator-row")
    heading = page.locator(".tabulator-col", has_text="gini").first
    heading.click()
    best_first = list(rows.sort_values("mean", ascending=False)["method"])
    assert [name for name in methods_of(page) if name in best_first] == best_first
    heading.click()
    assert [name for name in methods_of(page) if name in best_first] == best_first[::-1]
    assert "sort=gini:" in page.url
    said = page.inner_text("main")
    results = Results(small_run.folder)
    names = Names(results)
    orders = [one for one in order(results, names) if one["model"] == names.models.index("plain")]
    assert said.count("behind the mean rank") == len(orders)
    assert all(f"Columns behind the mean rank: {len(one['columns'])}." in said for one in orders)
    long = "title.textContent = 'comprehensiveness'.repeat(2)"
    fits = f"(title) => {{ {long}; return title.scrollWidth <= title.clientWidth; }}"
    assert heading.locator(".tabulator-col-title").evaluate(fits)  # broken, not cut


def test_the_leaderboard_is_filtered(show: Open) -> None:
    page = show("view=leaderboard&model=plain")
    everyone = methods_of(page)
    assert {"random", "raises"} <= set(everyone)
    assert "failed" in page.locator(".tabulator-row", has_text="raises").inner_text()
    page.uncheck("#board-controls")
    assert "random" not in methods_of(page)
    page.fill("#board-find", "gradients")
    assert methods_of(page) == ["integrated_gradients[steps=4]"]
    page.fill("#board-find", "")
    page.focus("#board-columns")
    page.keyboard.type("gini")
    assert page.input_value("#board-columns") == "gini"  # the box keeps its focus while columns change
    page.wait_for_selector(".tabulator-row")
    assert page.locator(".tabulator-col-title").all_inner_texts()[2:] == ["gini ↑"]


def test_a_link_shows_what_its_sender_saw(show: Open) -> None:
    first = show("view=leaderboard&model=plain")
    first.select_option("#board-family", "faithfulness")
    first.uncheck("#board-controls")
    first.locator(".tabulator-col", has_text="deletion.win_rate").first.click()
    seen = methods_of(first), first.locator(".tabulator-col-title").all_inner_texts()
    second = show(first.url.partition("#")[2])
    assert (methods_of(second), second.locator(".tabulator-col-title").all_inner_texts()) == seen


def test_a_link_says_what_the_run_does_not_have(show: Open) -> None:
    page = show("view=leaderboard&model=earlier&family=none&columns=gini")
    said = page.inner_text("#unfit")
    assert "no model 'earlier'" in said
    assert "no family 'none'" in said
    assert methods_of(page)
    page.select_option("#board-model", "plain")
    assert page.inner_text("#unfit") == ""
    assert "model=plain" in page.url
    assert "none" not in page.url
    assert "columns=gini" in page.url


def test_back_undoes_choices_and_no_letters(show: Open) -> None:
    page = show("view=leaderboard&model=plain")
    page.wait_for_selector(".tabulator-row")
    page.select_option("#board-family", "faithfulness")
    page.focus("#board-find")
    page.keyboard.type("sal")
    page.click("#view-samples")
    page.locator(".strip button").nth(2).click()
    page.go_back()
    assert page.locator(".strip button").nth(0).get_attribute("aria-pressed") == "true"
    page.go_back()
    page.wait_for_selector("body[data-view=leaderboard]")
    assert page.input_value("#board-find") == "sal"
    page.go_back()
    assert page.input_value("#board-family") == ""
    assert page.input_value("#board-find") == ""
    page.go_forward()
    assert page.input_value("#board-family") == "faithfulness"


def test_an_interval_is_had_by_keyboard_and_by_touch(show: Open, small_run: xb.Run) -> None:
    board = small_run.leaderboard
    named = (board["model"] == "plain") & (board["method"] == "saliency") & (board["metric"] == "gini")
    row = board[named].iloc[0]
    interval = f"(95 %: {row['ci_low']:.3f} to {row['ci_high']:.3f})"
    page = show("view=leaderboard&model=plain&columns=gini&sort=name:desc&find=saliency")
    cell = page.locator(".tabulator-row .tabulator-cell").nth(2)
    cell.wait_for()
    assert interval in (cell.get_attribute("aria-label") or "")
    page.focus(".tabulator-tableholder")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert cell.evaluate("(cell) => cell === document.activeElement")
    assert interval in page.inner_text("#tip")
    assert cell.get_attribute("aria-describedby") == "tip"
    page.keyboard.press("Escape")
    assert page.locator("#tip").count() == 0
    cell.dispatch_event("click")  # as a tap ends, without a mouse that hovers
    assert interval in page.inner_text("#tip")


def test_paper_shows_whole_tables(show: Open) -> None:
    page = show("view=leaderboard&model=plain")
    columns = page.locator(".tabulator-col-title").count()
    rows = len(methods_of(page))
    page.set_viewport_size({"width": 1032, "height": 700})  # A4, sideways, without its margins
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    tables = page.locator("table.on-paper")
    headings = tables.locator("th").count()
    assert tables.count() > 1
    assert headings - (tables.count() - 1) == columns  # the first one is repeated
    assert tables.locator("td").count() == rows * headings
    assert " to " in tables.locator("td small").first.inner_text()
    assert "Model: plain" in page.inner_text("p.on-paper")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1032
    assert not page.locator(".tabulator").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert tables.count() == 0


def test_models_stand_under_a_method(show: Open, small_run: xb.Run) -> None:
    page = show("view=leaderboard&by=model")
    page.select_option("#board-method", label="(the models themselves)")
    assert set(methods_of(page)) == {HOSTILE, "plain"}
    models = small_run.models.set_index("model")["accuracy"]
    accuracy = page.locator(".tabulator-row", has_text="plain").inner_text()
    assert f"{models['plain']:.3f}" in accuracy


def test_two_methods_are_compared_as_the_command_compares_them(show: Open, small_run: xb.Run) -> None:
    table = small_run.compare(method="saliency", against="integrated_gradients[steps=4]", model="plain")
    page = show("view=compare&kind=method")
    page.select_option("#compare-of", label="plain")
    page.select_option("#compare-a", label="saliency")
    page.select_option("#compare-b", label="integrated_gradients[steps=4]")
    page.wait_for_selector("#differences .tabulator-row")
    gini = table[table["metric"] == "gini"].iloc[0]
    row = page.locator("#differences .tabulator-row", has_text="gini")
    assert row.locator(".tabulator-cell").all_inner_texts()[2:5] == [
        gini["verdict"],
        f"{gini['effect']:.3f}",
        f"{gini['ci_low']:.3f} to {gini['ci_high']:.3f}",
    ]
    better = (table["verdict"] == "better").sum()
    assert f"better in {better} of {len(table)} columns" in page.inner_text("#compare-sum")


def test_two_methods_are_compared_image_by_image(show: Open) -> None:
    page = show("view=compare&kind=method")
    page.wait_for_selector("#differences .tabulator-row")
    page.locator("#differences button", has_text="gini").first.click()
    assert "Image by image: gini" in page.inner_text("#compare-detail")
    assert page.locator("#scatter circle").count() == 24
    assert page.locator("#widest .pair").count() in range(3, 7)  # up to three images where either is best
    assert page.locator("#widest canvas").count() == 3 * page.locator("#widest .pair").count()


def test_samples_show_maps_and_scores(show: Open, small_run: xb.Run) -> None:
    page = show("view=samples&model=plain")
    scores = small_run.scores
    sample = int(page.locator(".strip button").nth(3).get_attribute("id").removeprefix("image-"))  # pyright: ignore
    page.locator(".strip button").nth(3).click()
    of = scores[(scores["model"] == "plain") & (scores["sample"] == sample)]
    saliency = of[of["method"] == "saliency"]
    tile = page.locator("#maps figure", has_text="saliency")
    assert (
        tile.locator("dt").count() == saliency["metric_family"].nunique()
    )  # the headline: one of each family
    value = saliency[saliency["metric"] == "gini"]["score"].item()
    assert tile.locator("dt:text('gini') + dd").inner_text() == f"{value:.3f}"
    page.select_option("#samples-score", "all of faithfulness")
    assert (
        tile.locator("dt").count()
        == saliency[saliency["metric_family"] == "faithfulness"]["metric"].nunique()
    )
    assert page.locator("#maps canvas").count() == 5  # the image and a map of each method that did not fail
    first = of.iloc[0]
    said = page.inner_text("main")
    assert f"predicted {first['target']}, which is {'right' if first['correct'] else 'wrong'}" in said
    assert f"the label is {first['label']}" in said


@pytest.mark.parametrize("figure", ["ranks", "families", "agreement", "curves", "robustness"])
def test_figures_are_drawn(show: Open, figure: str) -> None:
    page = show(f"view=figures&figure={figure}&model=plain")
    assert page.locator("#figure svg").count() >= 1
    assert "NaN" not in page.locator("#figure svg").last.evaluate("(svg) => svg.outerHTML")
    low = page.locator("#figure .scroll").bounding_box()
    words = [one.bounding_box() for one in page.locator("#figure .scroll svg text").all()]
    assert low
    assert all(one["y"] + one["height"] <= low["y"] + low["height"] for one in words if one)


def test_curves_of_chosen_methods_alone(show: Open) -> None:
    page = show("view=figures&figure=curves&model=plain")
    boxes = page.locator("#curve-methods input")
    before = page.locator("#figure svg path").count()
    boxes.first.uncheck()
    assert page.locator("#figure svg path").count() < before
    assert "curves=" in page.url


def test_hostile_names_and_messages_stay_text(show: Open) -> None:
    page = show("view=cells")
    page.wait_for_selector(".tabulator-row")
    page.locator(".tabulator-col", has_text="Status").locator("input").fill("failed")
    page.locator(".tabulator-row", has_text="alert(2)").first.wait_for()
    assert "</script><script>alert(2)</script>" in page.inner_text("main")
    assert page.locator("main img, main script").count() == 0
    for view in ("overview", "leaderboard", "compare", "models"):
        page.click(f"#view-{view}")
        page.wait_for_selector(f"body[data-view={view}]")
        assert HOSTILE in page.inner_text("main")
        assert page.locator("main img, main script").count() == 0


def test_the_keyboard_goes_everywhere(show: Open) -> None:
    page = show()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.focus("#view-leaderboard")
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-view=leaderboard]")
    assert page.evaluate("document.activeElement.id") == "view-leaderboard"
    page.wait_for_selector(".tabulator-row")
    page.locator(".tabulator-col", has_text="gini").first.focus()
    page.keyboard.press("Enter")
    assert "sort=gini:" in page.url
    assert "higher is better" in page.inner_text("#tip")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_for_those_who_see_or_point_less(show: Open, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = show()
    page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
    for view in VIEWS:
        page.click(f"#view-{view}")
        page.wait_for_selector(f"body[data-view={view}]")
        page.wait_for_selector(".tabulator-row" if view in ("leaderboard", "compare", "cells") else "main h2")
        found = Axe().run(page).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == [], view


def test_a_narrow_screen_needs_no_scrolling_sideways(show: Open) -> None:
    page = show()
    page.set_viewport_size({"width": 400, "height": 800})
    for view in VIEWS:
        page.click(f"#view-{view}")
        page.wait_for_selector(f"body[data-view={view}]")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, view


def test_an_old_browser_is_told(browser: object, page_file: Path) -> None:
    page = browser.new_page()  # type: ignore[attr-defined]
    page.add_init_script("delete window.DecompressionStream")
    page.goto(page_file.as_uri())
    assert "A newer browser may" in page.locator("main [role=alert]").inner_text()
    page.close()
