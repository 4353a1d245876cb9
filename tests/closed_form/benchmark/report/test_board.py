"""The leaderboard of the terminal: order, marks and width, from scores made by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hand_made_scores import Key, make_cells, make_scores, noise
from xaiboard.benchmark.report.board import board
from xaiboard.benchmark.report.console import describe_run
from xaiboard.benchmark.report.order import in_order, mean_ranks, ranked, ranks_of
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.toolkit.terminal import WIDTH

LEVELS = {"low": 0.2, "middle": 0.4, "high": 0.6}
FAMILIES = {"gini": "complexity", "deletion": "faithfulness", "mine": "faithfulness"}


def results(levels: dict[Key, float], absent: dict[Key, tuple[str, str]] | None = None) -> Results:
    """Scores around these means, far enough apart to be told apart."""
    values = {key: mean + 0.01 * noise(place) for place, (key, mean) in enumerate(levels.items())}
    cells, scores = make_cells(values, absent), make_scores(values)
    for table in (cells, scores):
        table["metric_family"] = [FAMILIES[metric] for metric in table["metric"]]
    cells["control"] = cells["method"].isin(["random", "sobel"])
    return Results.of(cells, scores)


def entries(text: str) -> list[list[str]]:
    """The cells of a table in text, its heading first, without rules."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return [row for row in rows if set("".join(row)) - {"-"}]


def test_families_of_metrics_count_alike_and_controls_come_last() -> None:
    """``gini`` is one column, faithfulness two. Ranks are those among the methods, also the ranks of controls."""
    means = {
        "low": {"gini": 0.2, "deletion": 0.1, "mine": 0.5},  # 2, 1, 2
        "high": {"gini": 0.8, "deletion": 0.3, "mine": 0.7},  # 1, 2, 1
        "sobel": {"gini": 0.6, "deletion": 0.2, "mine": 0.4},  # 2, 2, 3
        "random": {"gini": 0.1, "deletion": 0.9, "mine": 0.1},  # 3, 3, 3
    }
    found = results(
        {("a", name, metric): mean for name, own in means.items() for metric, mean in own.items()}
    )
    rows = ranked(found, "d")
    mean = mean_ranks(ranks_of(rows))
    assert mean.to_dict() == {"low": 1.75, "high": 1.25, "sobel": 2.25, "random": 3}
    assert in_order(mean) == ["high", "low", "sobel", "random"]
    assert entries(board(rows).text) == [
        ["method", "mean rank", "gini ↑", "deletion ↓", "mine ↑"],
        ["high", "1.2", "0.8 ★", "0.3", "0.7 ★"],
        ["low", "1.8", "0.2", "0.1 ★", "0.5"],
        ["sobel †", "2.2", "0.6", "0.2", "0.4"],
        ["random †", "3.0", "0.1", "0.9", "0.1"],
    ]


def test_a_column_that_fails_its_controls_does_not_count() -> None:
    levels: dict[Key, float] = {("a", name, "gini"): mean for name, mean in LEVELS.items()}
    levels |= {("a", name, "mine"): 1 - mean for name, mean in LEVELS.items()}
    levels |= {("a", "random", "gini"): 0.1, ("a", "random", "mine"): 0.9}
    rows = ranked(results(levels), "d")
    assert mean_ranks(ranks_of(rows)).to_dict() == {"low": 3, "middle": 2, "high": 1, "random": 4}
    assert entries(board(rows).text)[0] == ["method", "mean rank", "gini ↑", "mine ↑ ‡"]
    of_two = pd.concat([rows, rows.assign(model="b")])
    made = board(of_two)
    assert entries(made.text)[0] == ["method", "mean rank", "gini ↑"]
    assert made.empty == ["mine ↑ ‡"]
    without = rows[rows["method"] != "random"].assign(counts=False)
    assert mean_ranks(ranks_of(without)).to_dict() == {
        "low": 2,
        "middle": 2,
        "high": 2,
    }  # no control: all count


def test_several_models_are_one_table_and_nothing_is_averaged_over_a_part() -> None:
    levels: dict[Key, float] = {
        (model, name, "gini"): mean
        for model in "abc"
        for name, mean in {**LEVELS, "random": 0.1}.items()
        if (model, name) != ("c", "low")
    }
    found = results(levels, {("c", "low", "gini"): ("failed", "no luck")})
    text = describe_run(Path("run"), found)
    table = text[text.index("d: methods on 3 models") :].split("\n\n")[0]
    assert entries(table)[2:] == [
        ["high", "1.0", "#1.0 ★3"], ["middle", "2.0", "#2.0"], ["low", "–", "–"], ["random †", "3.0", "#3.0"],
    ]  # fmt: skip
    assert "in 3 of 3 columns (model × score × settings) one method alone may be the best" in text
    assert "1 cell failed, as cells.csv says:\n  c low gini: no luck" in text
    assert "no mean rank, because a score is missing on some model: low." in text


@pytest.mark.parametrize("model", ["a", ""])
def test_no_line_is_wider_than_a_terminal(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long names of methods, of one model or four, and messages of any length."""
    long = (
        "a_method_with_a_name_of_one_hundred_and_twenty_letters".ljust(100, "x") + "[steps=64,baseline=mean]"
    )
    levels: dict[Key, float] = {
        (each, name, metric): mean
        for each in model or "abcd"
        for metric in FAMILIES
        for name, mean in {**LEVELS, long: 0.5, f"{long}2": 0.3, "random": 0.1}.items()
    }
    found = results(levels, {("a", "x" * 120, "gini"): ("failed", "no luck " * 40)})
    text = describe_run(Path("run"), found)
    assert max(map(len, text.splitlines())) <= WIDTH
    for width in (70, 150):
        monkeypatch.setenv("COLUMNS", str(width))
        assert width - 25 < max(map(len, describe_run(Path("run"), found).splitlines())) <= width
    assert len({row[0] for row in entries(board(ranked(found, "d")).text)}) == 8  # long names differ still
    assert "baseline=mean]" in text


def test_what_has_no_room_is_named() -> None:
    levels: dict[Key, float] = {("a", name, "gini"): mean for name, mean in LEVELS.items()}
    found = results(levels)
    long = [f"family_{letter}_of_metrics_with_a_long_name" for letter in "abcd"]
    rows = ranked(found, "d")
    wide = pd.concat([rows.assign(metric=name, metric_family=name) for name in long])
    made = board(wide)
    assert max(map(len, made.text.splitlines())) <= WIDTH
    assert [*entries(made.text)[0][2:], *made.hidden] == [f"{name} ↑ ‡" for name in long]
    assert made.hidden
