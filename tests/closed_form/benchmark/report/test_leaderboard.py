"""Leaderboards of hand-made scores with known results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from xaiboard.benchmark.report.families import FAMILIES
from xaiboard.benchmark.report.leaderboard import LEADERBOARD
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.write import write
from xaiboard.benchmark.store import tables

Key = tuple[str, str, str]
Scores = Mapping[Key, Sequence[float]]

FAMILY = {"a": "ot", "b": "standard", "c": "standard", "d": "adversarial"}
DIRECTION = {
    "gini": "True", "deletion": "False", "deletion.normalised": "False", "deletion.count": "", "accuracy": "True",
    "norm": "",
}  # fmt: skip
ACROSS = {"gini", "deletion.normalised", "accuracy"}


def make_scores(
    values: Scores,
    *,
    weight: Scores | None = None,
    correct: Mapping[str, Sequence[bool]] | None = None,
    settings: str = "",
) -> pd.DataFrame:
    """Long scores of (model, method, metric column)."""
    parts = []
    for key, score in values.items():
        model, method, metric = key
        n = len(score)
        parts.append(
            pd.DataFrame(
                {
                    "dataset": "d", "sample": range(n), "model": model, "family": FAMILY[model], "method": method,
                    "metric": metric, "settings": settings, "perturbation": "", "score": score,
                    "weight": (weight or {}).get(key, [1.0] * n), "target": 0, "label": 0,
                    "correct": (correct or {}).get(model, [True] * n), "seed": 0, "metric_version": 1,
                    "metric_family": "own", "higher_is_better": DIRECTION[metric],
                    "across_models": metric in ACROSS,
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)[tables.SCORES]


def make_cells(
    values: Scores, absent: Mapping[tuple[str, str, str], tuple[str, str]] | None = None, settings: str = ""
) -> pd.DataFrame:
    """Cells of those scores, and of others with their status and note."""
    names = {(model, method, metric.partition(".")[0]): ("ok", "") for model, method, metric in values}
    rows: list[dict[str, Any]] = [
        {
            "key": "-".join(key), "dataset": "d", "model": key[0], "method": key[1], "metric": key[2],
            "settings": settings, "perturbation": "", "family": FAMILY[key[0]], "metric_family": "own",
            "method_settings": "", "model_version": "1", "method_version": "1", "metric_version": "1",
            "perturbation_version": "", "weights": "w", "samples": "s", "reference": "",
            "control": False, "status": status, "note": note, "n": 3 if status == "ok" else np.nan,
            "seconds": 1.5 if status == "ok" else np.nan, "forward": 1, "backward": 0,
        }
        for key, (status, note) in {**names, **(absent or {})}.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)[tables.CELLS]


def row(board: pd.DataFrame, **wanted: str) -> pd.Series:
    same = np.logical_and.reduce([board[name] == value for name, value in wanted.items()])
    assert same.sum() == 1, board
    return board[same].iloc[0]


SPREAD = 0.01 * np.array([-1.0, 0.0, 1.0, 2.0, -2.0, 0.5, -0.5, 1.5, -1.5, 0.0])


def test_ranks_follow_the_direction_of_the_column() -> None:
    values = {
        ("a", method, metric): list(level + SPREAD * (1 + place))
        for metric in ("gini", "deletion", "deletion.count")
        for place, (method, level) in enumerate((("low", 1.0), ("middle", 2.0), ("high", 3.0)))
    }
    board = Results.of(make_cells(values), make_scores(values)).leaderboard
    assert list(board.columns) == LEADERBOARD
    for metric, ranks in (("gini", (3, 2, 1)), ("deletion", (1, 2, 3))):
        for method, rank in zip(("low", "middle", "high"), ranks, strict=True):
            found = row(board, metric=metric, method=method)
            assert (found["rank"], found["rank_low"], found["rank_high"]) == (rank, rank, rank)
    assert board[board["metric"] == "deletion.count"]["rank"].isna().all()
    first = row(board, metric="gini", method="low")
    assert first["mean"] == pytest.approx(1.0)
    assert first["ci_low"] < 1.0 < first["ci_high"]
    assert (first["n"], first["seconds"], first["status"], first["note"]) == (10, 1.5, "ok", "")
    assert row(board, metric="deletion.count", method="low")["seconds"] == 1.5


def test_tables_do_not_depend_on_the_order_of_the_scores() -> None:
    rng = np.random.default_rng(0)
    values = {
        (model, method, "gini"): list(rng.normal(size=20)) for model in "ab" for method in ("one", "two")
    }
    cells, scores = make_cells(values), make_scores(values)
    shuffled = scores.sample(frac=1, random_state=0)
    one, other = Results.of(cells, shuffled), Results.of(cells, scores)
    pd.testing.assert_frame_equal(one.leaderboard, other.leaderboard)
    pd.testing.assert_frame_equal(one.families, other.families)


def test_equal_means_share_a_rank_and_models_are_ranked_apart() -> None:
    same = [1.0, 2.0, 3.0]
    values = {
        ("a", "one", "gini"): same, ("a", "two", "gini"): same, ("a", "worse", "gini"): [0.0, 0.0, 0.0],
        ("b", "one", "gini"): [9.0, 9.0, 9.0],
    }  # fmt: skip
    board = Results.of(make_cells(values), make_scores(values)).leaderboard
    assert list(board[board["model"] == "a"]["rank"]) == [1, 1, 3]
    assert row(board, model="b")["rank"] == 1


def test_intervals_are_paired_bootstrap_percentiles() -> None:
    from xaiboard.benchmark.report.bootstrap import resampled_counts

    score = np.random.default_rng(0).normal(size=20)
    values = {("a", "one", "gini"): list(score)}
    found = Results.of(make_cells(values), make_scores(values)).leaderboard.iloc[0]
    means = [np.mean(np.repeat(score, counts.astype(int))) for counts in resampled_counts(20)]
    assert found["ci_low"] == pytest.approx(np.percentile(means, 2.5), rel=1e-9)
    assert found["ci_high"] == pytest.approx(np.percentile(means, 97.5), rel=1e-9)


def test_cells_without_scores_keep_their_row_with_the_note() -> None:
    values = {("a", "one", "gini"): [1.0, 2.0, 3.0]}
    absent = {
        ("a", "two", "gini"): ("failed", "ValueError: no luck"),
        ("a", "three", "deletion"): ("inapplicable", "the data set has no 'mask'"),
        ("b", "one", "gini"): ("missing", ""),
    }
    board = Results.of(make_cells(values, absent), make_scores(values)).leaderboard
    assert len(board) == 4
    for (model, method, metric), (status, note) in absent.items():
        found = row(board, model=model, method=method, metric=metric)
        assert (found["status"], found["note"]) == (status, note)
        assert (
            found[["mean", "ci_low", "ci_high", "n", "rank", "rank_low", "rank_high", "seconds"]].isna().all()
        )
        assert found["family"] == FAMILY[model]
    assert row(board, method="one", model="a")["rank_high"] == 1


def test_no_scores_at_all() -> None:
    absent = {("a", "two", "gini"): ("failed", "why")}
    results = Results.of(make_cells({}, absent), pd.DataFrame(columns=tables.SCORES))
    assert list(results.leaderboard["status"]) == ["failed"]
    assert len(results.wide) == 1
    assert results.families.empty


def test_samples_of_weight_zero_are_left_out_and_counted() -> None:
    values = {("a", "one", "gini"): [1.0, 2.0, 60.0, 3.0], ("a", "two", "gini"): [1.0, 1.0, 1.0, 1.0]}
    weight = {("a", "one", "gini"): [1.0, 1.0, 0.0, 1.0]}
    board = Results.of(make_cells(values), make_scores(values, weight=weight)).leaderboard
    found = row(board, method="one")
    assert (found["mean"], found["n"]) == (pytest.approx(2.0), 3)
    assert found["note"] == "1 of 4 samples left out: their weight is zero"
    assert found["ci_high"] <= 3
    assert row(board, method="two")["note"] == ""


def test_nothing_left_gives_an_empty_mean_and_no_rank() -> None:
    values = {("a", "one", "gini"): [1.0, 2.0], ("a", "two", "gini"): [1.0, 1.0]}
    weight = {("a", "one", "gini"): [0.0, 0.0]}
    board = Results.of(make_cells(values), make_scores(values, weight=weight)).leaderboard
    found = row(board, method="one")
    assert found[["mean", "ci_low", "ci_high", "rank"]].isna().all()
    assert found["n"] == 0
    assert row(board, method="two")[["rank", "rank_low", "rank_high"]].tolist() == [1, 1, 1]


def test_a_weighted_column_is_the_ratio_of_sums() -> None:
    """(area - gone) / scale weighted by scale: the normalised area of the mean curve."""
    area, intact, gone = np.array([0.5, 0.2, 0.9]), np.array([0.9, 0.3, 0.95]), np.array([0.1, 0.25, 0.2])
    key: Key = ("a", "one", "deletion.normalised")
    values: Scores = {key: list((area - gone) / (intact - gone)), ("a", "one", "deletion"): list(area)}
    weight: Scores = {key: list(intact - gone)}
    board = Results.of(make_cells(values), make_scores(values, weight=weight)).leaderboard
    expected = (area.mean() - gone.mean()) / (intact.mean() - gone.mean())
    assert row(board, metric="deletion.normalised")["mean"] == pytest.approx(expected)


def test_the_note_on_weights_blames_a_perturbation_only_where_there_is_one() -> None:
    values = {("a", "one", "gini"): [1.0, 2.0, 3.0]}
    weight = {("a", "one", "gini"): [1.0, 0.0, 1.0]}
    scores = make_scores(values, weight=weight)
    assert (scores["perturbation"] == "").all()
    assert "perturbation" not in row(Results.of(make_cells(values), scores).leaderboard, method="one")["note"]


def test_wide_has_one_row_a_model_and_method_and_empty_cells_where_missing() -> None:
    values = {
        ("a", "one", "gini"): [1.0, 3.0], ("a", "one", "deletion"): [5.0, 7.0], ("a", "two", "gini"): [2.0, 2.0],
        ("b", "one", "deletion"): [4.0, 4.0], ("a", "", "accuracy"): [1.0, 0.0],
    }  # fmt: skip
    absent = {("a", "two", "deletion"): ("failed", "why"), ("b", "two", "gini"): ("inapplicable", "why")}
    wide = Results.of(make_cells(values, absent), make_scores(values)).wide
    assert list(wide.columns) == ["dataset", "model", "family", "method", "deletion", "gini"]
    names = list(zip(wide["model"], wide["method"], strict=True))
    assert sorted(names) == [("a", "one"), ("a", "two"), ("b", "one"), ("b", "two")]
    assert row(wide, model="a", method="one")["gini"] == pytest.approx(2)
    assert row(wide, model="a", method="one")["deletion"] == pytest.approx(6)
    assert row(wide, model="a", method="two")[["deletion", "gini"]].isna().tolist() == [True, False]
    assert row(wide, model="b", method="two")[["deletion", "gini"]].isna().tolist() == [True, True]


def test_wide_names_settings_that_tell_columns_apart() -> None:
    one, two = {("a", "one", "deletion"): [1.0]}, {("a", "one", "deletion"): [3.0]}
    first, second = "baseline=zero,steps=28", "baseline=mean,steps=28"
    scores = pd.concat(
        [make_scores(one, settings=first), make_scores(two, settings=second)], ignore_index=True
    )
    cells = pd.concat([make_cells(one, settings=first), make_cells(two, settings=second)], ignore_index=True)
    wide = Results.of(cells, scores).wide
    assert list(wide.columns)[4:] == ["deletion[baseline=mean]", "deletion[baseline=zero]"]
    assert wide.iloc[0, 4:].tolist() == [3.0, 1.0]


# families

COMPARED = {
    ("a", "one", "gini"): [0.9, 0.8, 0.7, 0.9], ("b", "one", "gini"): [0.1, 0.3, 0.2, 0.0],
    ("c", "one", "gini"): [0.3, 0.5, 0.4, 0.8],
}  # fmt: skip


def test_families_are_compared_on_samples_that_all_models_classify_correctly() -> None:
    correct = {"a": [True, True, True, False], "b": [True, True, True, True], "c": [True, False, True, True]}
    table = Results.of(make_cells(COMPARED), make_scores(COMPARED, correct=correct)).families
    assert list(table.columns) == FAMILIES
    assert (table["n"] == 2).all()
    assert set(zip(table["models_a"], table["models_b"], strict=True)) == {
        ("a", "b"),
        ("a", "c"),
        ("a", "b+c"),
    }
    pair = row(table, models_a="a", models_b="b")
    assert (pair["family_a"], pair["family_b"]) == ("ot", "standard")
    assert pair["mean_a"] == pytest.approx(0.8)
    assert pair["mean_b"] == pytest.approx(0.15)
    assert pair["difference"] == pytest.approx(0.65)
    assert (pair["ci_low"], pair["ci_high"]) == (pytest.approx(0.5), pytest.approx(0.8))
    assert pair["better"] == "ot"
    whole = row(table, models_a="a", models_b="b+c")
    assert whole["mean_b"] == pytest.approx((0.15 + 0.35) / 2)
    assert whole["difference"] == pytest.approx(0.8 - 0.25)


def test_the_better_family_follows_the_direction_and_the_interval() -> None:
    values = {
        ("a", "one", "deletion.normalised"): [0.9, 0.8, 0.9], ("b", "one", "deletion.normalised"): [0.1, 0.2, 0.1],
        ("a", "two", "deletion.normalised"): [0.1, 0.9, 0.5], ("b", "two", "deletion.normalised"): [0.9, 0.1, 0.5],
    }  # fmt: skip
    table = Results.of(make_cells(values), make_scores(values)).families
    assert row(table, method="one")["better"] == "standard"
    assert row(table, method="two")["better"] == ""


def test_only_columns_that_may_be_compared_take_part() -> None:
    values = {
        (model, method, metric): [0.1, 0.2]
        for model in ("a", "b")
        for method in ("one", "")
        for metric in ("gini", "deletion", "deletion.normalised", "deletion.count", "accuracy")
    }
    table = Results.of(make_cells(values), make_scores(values)).families
    assert set(table["metric"]) == {"gini", "deletion.normalised", "accuracy"}
    assert set(table["method"]) == {"one"}


def test_a_missing_model_leaves_the_row_empty_with_the_reason() -> None:
    values = {**COMPARED, ("a", "two", "gini"): [0.1] * 4, ("b", "two", "gini"): [0.2] * 4}
    absent = {("c", "two", "gini"): ("failed", "ValueError: no luck")}
    table = Results.of(make_cells(values, absent), make_scores(values)).families
    assert row(table, method="two", models_b="b")["status"] == "ok"
    for other in ("c", "b+c"):
        gone = row(table, method="two", models_b=other)
        assert (gone["status"], gone["note"], gone["n"]) == ("failed", "c: ValueError: no luck", 0)
        assert gone[["mean_a", "mean_b", "difference", "ci_low", "ci_high", "better"]].isna().all()
    del absent[("c", "two", "gini")]
    table = Results.of(make_cells(values), make_scores(values)).families
    unasked = table[(table["method"] == "two") & (table["models_b"] == "c")].iloc[0]
    assert (unasked["status"], unasked["note"]) == ("missing", "c was not asked for")


def test_no_common_correct_sample_leaves_empty_numbers() -> None:
    correct = {"a": [True, True, False, False], "b": [False, False, True, True]}
    table = Results.of(make_cells(COMPARED), make_scores(COMPARED, correct=correct)).families
    assert len(table) == 3
    assert (table["n"] == 0).all()
    assert table["mean_a"].isna().all()
    assert (table["note"] != "").all()


def test_one_family_has_nothing_to_compare() -> None:
    values = {("b", "one", "gini"): [0.1, 0.2], ("c", "one", "gini"): [0.3, 0.2]}
    assert Results.of(make_cells(values), make_scores(values)).families.empty


# models


def test_models_have_means_intervals_and_reasons() -> None:
    values = {
        ("a", "", "accuracy"): [1.0, 0.0, 1.0, 1.0], ("a", "", "norm"): [1.0, 2.0, 3.0, 6.0],
        ("b", "", "accuracy"): [0.0, 0.0, 1.0, 1.0], ("b", "one", "gini"): [1.0] * 4,
    }  # fmt: skip
    absent = {("b", "", "norm"): ("inapplicable", "no Lipschitz bound")}
    table = Results.of(make_cells(values, absent), make_scores(values)).models
    assert set(table["model"]) == {"a", "b"}
    a, b = row(table, model="a"), row(table, model="b")
    assert a["accuracy"] == pytest.approx(0.75)
    assert a["accuracy:ci_low"] < 0.75 < a["accuracy:ci_high"]
    assert a["norm"] == pytest.approx(3)
    assert a["norm:max"] == 6
    assert np.isnan(b["norm"])
    assert (a["note"], b["note"]) == ("", "norm: no Lipschitz bound")
    assert (table["n"] == 4).all()


def test_columns_of_models_that_settings_do_not_change_stand_once() -> None:
    """As the radii of a certified accuracy at several radii do."""
    parts = []
    for settings, right in (("epsilon=0.1", [1.0, 1.0, 0.0]), ("epsilon=1", [1.0, 0.0, 0.0])):
        values = {("a", "", "accuracy"): right, ("a", "", "deletion.count"): [0.5, 1.5, 4.0]}
        parts.append((make_cells(values, settings=settings), make_scores(values, settings=settings)))
    cells, scores = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    table = Results.of(cells, scores).models
    found = row(table, model="a")
    assert found["accuracy[epsilon=0.1]"] == pytest.approx(2 / 3)
    assert found["accuracy[epsilon=1]"] == pytest.approx(1 / 3)
    assert found["deletion.count"] == pytest.approx(2)
    assert found["deletion.count:ci_low"] < 2 < found["deletion.count:ci_high"]
    assert [name for name in table if str(name).startswith("deletion")] == [
        "deletion.count", "deletion.count:ci_low", "deletion.count:ci_high",
    ]  # fmt: skip


def test_a_reason_under_several_settings_is_said_once() -> None:
    absent = {("a", "", "accuracy"): ("inapplicable", "no certificate")}
    cells = pd.concat([make_cells({}, absent, settings=text) for text in ("epsilon=0.1", "epsilon=1")])
    assert (
        row(Results.of(cells, make_scores({("a", "", "accuracy"): [1.0]})[:0]).models, model="a")["note"]
        == "accuracy: no certificate"
    )


# the page


def test_a_page_of_models_alone_has_no_tables_of_methods(tmp_path: Path) -> None:
    values = {("a", "", "accuracy"): [1.0, 0.0], ("b", "", "accuracy"): [1.0, 1.0]}
    write(tmp_path, Results.of(make_cells(values), make_scores(values)))
    page = (tmp_path / "leaderboard.md").read_text()
    assert "| a     | ot       | 2 | 0.5      |" in page
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
