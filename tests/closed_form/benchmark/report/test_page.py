"""The page and the files beside it, from hand-made scores."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from hand_made_scores import make_cells, make_scores
from xaiboard.benchmark.report.families import FAMILIES
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.sections.methods import LEGEND
from xaiboard.benchmark.report.write import write

COMPARED = {
    ("a", "one", "gini"): [0.9, 0.8, 0.7, 0.9], ("b", "one", "gini"): [0.1, 0.3, 0.2, 0.0],
    ("c", "one", "gini"): [0.3, 0.5, 0.4, 0.8],
}  # fmt: skip


def test_a_page_of_models_alone_has_no_tables_of_methods(tmp_path: Path) -> None:
    values = {("a", "", "accuracy"): [1.0, 0.0], ("b", "", "accuracy"): [1.0, 1.0]}
    write(tmp_path, Results.of(make_cells(values), make_scores(values)))
    page = (tmp_path / "leaderboard.md").read_text()
    assert "| a     | ot       | 2 | 0.5        |" in page
    assert "Methods" not in page
    assert "Ranks" not in page
    assert "(none)" not in page
    assert (tmp_path / "families.csv").read_text() == ",".join(FAMILIES) + "\n"
    assert (tmp_path / "leaderboard_wide.csv").read_text() == "dataset,model,family,method\n"
    board = pd.read_csv(tmp_path / "leaderboard.csv")
    assert board["mean"].tolist() == [0.5, 1.0]


def test_the_page_shows_every_model_method_and_reason(tmp_path: Path) -> None:
    values = {**COMPARED, ("a", "", "accuracy"): [1.0] * 4, ("a", "edges", "gini"): [0.5] * 4}
    absent = {("b", "two", "gini"): ("failed", "ValueError: no luck")}
    cells, scores = make_cells(values, absent), make_scores(values)
    cells.loc[cells["method"] == "edges", "control"] = True
    write(tmp_path, Results.of(cells, scores))
    page = (tmp_path / "leaderboard.md").read_text()
    assert "edges †" in page
    assert "ValueError: no luck" in page
    assert "5 ok, 1 failed" in page
    assert "### Families" in page
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "leaderboard.md",
        "leaderboard.csv",
        "leaderboard_wide.csv",
        "families.csv",
        "ranks-d.png",
        "models.csv",
        "health.csv",
        "blurred.csv",
        "metric_correlations.csv",
        "columns.json",
    }


def test_a_markdown_table_is_aligned() -> None:
    text = markdown(pd.DataFrame({"a": ["x", "long"], "b": [1, 22]}))
    assert text == "| a    | b  |\n| ---- | -- |\n| x    | 1  |\n| long | 22 |\n"
    assert markdown(pd.DataFrame()) == "(none)\n"


def test_the_legend_says_that_overlapping_intervals_may_be_told_apart() -> None:
    text = " ".join(LEGEND.split())
    assert (
        "methods whose intervals overlap may be told apart all the same: `xaiboard compare` says it pair by pair"
        in text
    )
