"""How all tests run: one thread a process, the longest tests first."""

from __future__ import annotations

import os
import sys

import pytest

pytest_plugins = ["helpers", "foreign_libraries"]

# Before torch is imported, for the processes that tests start too: several workers with as many threads as there are
# cores each get in each other's way, and take ten times as long.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Workers of pytest-xdist have it, as wide as no terminal is; what is printed is tested at the width of a pipe.
os.environ.pop("COLUMNS", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts the tests that are marked as slow first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps counted passes and speeds of networks apart from the user's; the tests of a session share them."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setattr("xaiboard.benchmark.toolkit.user_cache.notes_folder", lambda: folder)


@pytest.fixture(autouse=True)
def no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out waiting for the disk, of which a tiny run has 35 times: a power failure threatens no test.

    Processes that a test starts, and kills, wait as a user's do.
    """
    monkeypatch.setattr(os, "fsync", lambda number: None)


@pytest.fixture(autouse=True)
def no_page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves ``report.html`` out of the many tiny runs, of which it costs a third; tests marked ``page`` have it."""
    if (
        request.node.get_closest_marker("page") is None
        and "xaiboard.benchmark.runs.finished_run" in sys.modules
    ):
        monkeypatch.setattr(
            "xaiboard.benchmark.runs.finished_run.write_report",
            lambda results: results.folder / "report.html",
        )
