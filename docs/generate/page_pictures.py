"""Draws the pictures of the page in the documents anew: ``python -m docs.generate.page_pictures``.

It needs Playwright's Python client and Chromium; the page is that of the suite ``quick`` in ``results/``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]

PICTURES = ROOT / "docs" / "_static" / "page"

VIEWS = {
    "overview": "view=overview",
    "leaderboard": "view=leaderboard&model=2&passing=1",
    "compare": "view=compare&kind=method&of=1&a=4&b=7",
    "samples": "view=samples&model=2&sample=12",
}
"""The fragment of the address of each picture."""


def main() -> None:
    """Opens the page at each view, and writes a PNG of few colours."""
    from playwright.sync_api import sync_playwright

    page_file = ROOT / "results" / "quick" / "report.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, fragment in VIEWS.items():
            page = browser.new_page(viewport={"width": 1200, "height": 820})
            page.goto(f"{page_file.as_uri()}#{fragment}")
            page.wait_for_selector("body[data-view]")
            page.wait_for_timeout(500)  # tables and figures are drawn a little later
            path = PICTURES / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=path)
            page.close()
            with Image.open(path) as opened:
                few = opened.convert("RGB").quantize(96, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
            few.save(path, "PNG", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
