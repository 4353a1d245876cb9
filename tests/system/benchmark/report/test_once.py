"""A command reads each file of scores once and makes each table once, however many parts of it ask for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark import cli
from xaiboard.benchmark.report import results
from xaiboard.benchmark.report.console import describe_run
from xaiboard.benchmark.store import tables

MADE = (
    "Blocks", "standings", "converged", "leaderboard", "wide", "compare_families", "describe_models",
    "metric_health", "metric_correlations", "attribution_robustness", "with_settings", "make_glossary",
)  # fmt: skip
READ = ("read_cells", "unpack_scores", "read_curves")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each table is made and each file read."""
    counted: Counter[str] = Counter()

    def count(module: object, name: str) -> None:
        function: Callable[..., object] = getattr(module, name)

        def counting(*given: object) -> object:
            counted[name] += 1
            return function(*given)

        monkeypatch.setattr(module, name, counting)

    for name in MADE:
        count(results, name)
    for name in READ:
        count(tables, name)
    return counted


def test_a_run_makes_each_table_once(
    selection: dict[str, object], tmp_path: Path, calls: Counter[str]
) -> None:
    given = {
        **selection,
        "metrics": "gini,lens_recall[k=5],accuracy",
        "out": tmp_path / "run",
        "progress": False,
    }
    finished = xb.run(**given)  # pyright: ignore[reportArgumentType]
    describe_run(finished.folder, finished.results)  # what the command line prints at the end
    assert len(finished.leaderboard)
    assert finished.families is finished.results.families
    assert calls == dict.fromkeys((*MADE, *READ), 1)


def test_a_run_that_resumes_reads_no_scores_that_it_makes_again(
    selection: dict[str, object], tmp_path: Path, calls: Counter[str]
) -> None:
    given = {**selection, "out": tmp_path / "run", "progress": False}
    finished = xb.run(**given)  # pyright: ignore[reportArgumentType]
    calls.clear()
    assert xb.run(**given).unchanged  # pyright: ignore[reportArgumentType]
    assert calls["unpack_scores"] == 0
    (finished.folder / "leaderboard.csv").unlink()
    xb.run(**given)  # pyright: ignore[reportArgumentType]
    assert calls["unpack_scores"] == 1
    assert calls["leaderboard"] == 1


def test_a_rebuild_makes_each_table_once(
    selection: dict[str, object], tmp_path: Path, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**selection, "out": tmp_path / "run", "progress": False}
    finished = xb.run(**given)  # pyright: ignore[reportArgumentType]
    calls.clear()
    monkeypatch.setattr("sys.argv", ["xaiboard", "leaderboard", str(finished.folder)])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    assert calls["unpack_scores"] == 1
    assert {name: calls[name] for name in MADE} == dict.fromkeys(MADE, 1)
