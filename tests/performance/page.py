"""What the page of a run costs: ``python tests/performance/page.py results/quick results/standard …``.

Prints, a row for each folder: its scores, seconds of CPU and peak memory for its tables alone and with the page, bytes
of the page, and seconds from opening it in Chromium to the leaderboard sorted by a click. The folders are left as they
are.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory


def tables_and_page(folder: Path) -> tuple[int, float, float, float, float]:
    """Scores; seconds of CPU and GB for the tables; seconds and GB with the page, which is written into the folder."""
    from xaiboard.benchmark.html_page.make import write_report
    from xaiboard.benchmark.report.results import Results

    start = time.process_time()
    results = Results(folder)
    for name in ("leaderboard", "wide", "families", "models", "health", "correlations", "robustness"):
        getattr(results, name)
    tables = time.process_time() - start, _peak()
    write_report(results)
    return len(results.scores), *tables, time.process_time() - start, _peak()


def first_sorted_view(page_file: Path) -> float:
    """Seconds from opening the page to the leaderboard sorted by its first column."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(f"{page_file.as_uri()}#view=leaderboard")
        page.locator(".tabulator-col[tabulator-field^=c]").first.click()
        page.wait_for_selector('.tabulator-col[tabulator-field^=c][aria-sort="descending"], '
                               '.tabulator-col[tabulator-field^=c][aria-sort="ascending"]')  # fmt: skip
        seconds = time.perf_counter() - start
        browser.close()
    return seconds


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(folders: list[str]) -> None:
    """Measures each folder in a process of its own."""
    print("| run | scores | tables, s | GB | with the page, s | GB | page, MB | sorted view, s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for folder in folders:
        with TemporaryDirectory() as temporary:
            copy = Path(temporary, Path(folder).name)
            shutil.copytree(folder, copy)
            said = subprocess.run(
                [sys.executable, __file__, "--one", copy], check=True, capture_output=True, text=True
            ).stdout.split()  # fmt: skip
            megabytes = (copy / "report.html").stat().st_size / 1e6
            view = first_sorted_view(copy / "report.html")
        print(f"| {Path(folder).name} | {' | '.join(said)} | {megabytes:.2f} | {view:.2f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        scores, *numbers = tables_and_page(Path(sys.argv[2]))
        print(scores, *(f"{number:.1f}" for number in numbers))
    else:
        main(sys.argv[1:])
