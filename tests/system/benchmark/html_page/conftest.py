"""One small run with hostile names, its page, and a browser that shows it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.errors import XaiboardWarning

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "<img src=x onerror=alert(1)>"

Open = Callable[..., "Page"]


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> xb.Run:
    """Two networks, one of a hostile name, and a method that fails with a hostile message."""

    @xb.method()
    def raises(x: Tensor) -> Tensor:
        raise ValueError("</script><script>alert(2)</script>")

    torch.manual_seed(0)
    networks = {
        name: nn.Sequential(nn.Conv2d(1, 4, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 12 * 12, 10))
        for name in (HOSTILE, "plain")
    }
    with pytest.warns(XaiboardWarning, match="cells failed"):
        return xb.run(
            dataset="digits",
            models=networks,
            methods=["saliency", "input_x_gradient", "integrated_gradients[steps=4]", "random", raises],
            metrics=["deletion.*[steps=4,orders=2]", "gini", "lens_recall[k=50]", "accuracy"],
            perturbations="sign_noise[eps=0.1],sign_noise[eps=0.2]",
            samples=24,
            out=tmp_path_factory.mktemp("page") / "small",
            progress=False,
        )


@pytest.fixture(scope="session")
def page_file(small_run: xb.Run) -> Path:
    return small_run.report()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if find_spec("playwright") is None or path is None:
        missing = "needs Chromium (Debian's package chromium, or its path in CHROMIUM) and Playwright's Python client"
        pytest.fail(missing) if os.environ.get("XAIBOARD_BROWSER") == "required" else pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # In containers Chromium runs as root, without its sandbox and with little shared memory.
        found = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield found
        found.close()


@pytest.fixture
def show(browser: Browser, page_file: Path) -> Iterator[Open]:
    """Opens the page at a fragment; at the end no error may have been said, and nothing asked for but the page."""
    said: list[str] = []
    asked: list[str] = []
    opened: set[str] = set()
    context = browser.new_context(viewport={"width": 1280, "height": 900})

    def open_at(fragment: str = "", file: Path = page_file) -> Page:
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
        opened.add(file.as_uri())
        page.goto(f"{file.as_uri()}#{fragment}")
        page.wait_for_selector("body[data-view]")
        return page

    yield open_at
    context.close()
    assert said == []
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} <= opened
