"""Leaderboards of hand-made scores with known results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made_scores import FAMILY, Key, Scores, make_cells, make_scores, noise, row
from scipy import stats
from xaiboard.benchmark.report.console import describe_run
from xaiboard.benchmark.report.leaderboard import LEADERBOARD
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.sections.methods import methods
from xaiboard.benchmark.statistics.skewness import TOLERATED
from xaiboard.benchmark.store import tables
from xaiboard.benchmark.store.tables import write_csv

LEVELS = {"low": 0.2, "middle": 0.4, "high": 0.6}


def board_of(values: Scores, weight: Scores | None = None) -> pd.DataFrame:
    return Results.of(make_cells(values), make_scores(values, weight=weight)).leaderboard


def shown(values: Scores, metric: str) -> pd.Series:
    """What the page shows of a column in which higher is better, by method."""
    table = methods(Results.of(make_cells(values), make_scores(values)), "d")
    return table.set_index("method")[f"{metric} ↑"]


def test_ranks_follow_the_direction_of_the_column() -> None:
    values = {
        ("a", method, metric): LEVELS[method] + 0.01 * noise(seed)
        for metric in ("gini", "deletion", "deletion.count")
        for seed, method in enumerate(LEVELS)
    }
    board = board_of(values)
    assert list(board.columns) == LEADERBOARD
    for metric, ranks in (("gini", (3, 2, 1)), ("deletion", (1, 2, 3))):
        for method, rank in zip(LEVELS, ranks, strict=True):
            found = row(board, metric=metric, method=method)
            assert (found["rank"], found["rank_low"], found["rank_high"]) == (rank, rank, rank)
            assert found["best"] == (rank == 1)
    assert (
        board[board["metric"] == "deletion.count"][["rank", "rank_low", "rank_high", "best"]]
        .isna()
        .all(axis=None)
    )
    first = row(board, metric="gini", method="low")
    assert first["mean"] == pytest.approx(0.2)
    assert first["ci_low"] < 0.2 < first["ci_high"]
    assert (first["n"], first["seconds"], first["status"], first["note"]) == (40, 1.5, "ok", "")
    assert row(board, metric="deletion.count", method="low")["seconds"] == 1.5


def test_tables_do_not_depend_on_the_order_of_the_scores() -> None:
    rng = np.random.default_rng(0)
    values = {
        (model, method, "gini"): list(rng.normal(size=40)) for model in "ab" for method in ("one", "two")
    }
    cells, scores = make_cells(values), make_scores(values)
    shuffled = scores.sample(frac=1, random_state=0)
    one, other = Results.of(cells, shuffled), Results.of(cells, scores)
    assert (other.leaderboard["rank_low"] != other.leaderboard["rank_high"]).any()
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


def test_intervals_of_means_are_students() -> None:
    score = np.random.default_rng(0).normal(size=20)
    found = board_of({("a", "one", "gini"): score}).iloc[0]
    reach = stats.t.ppf(0.975, 19) * score.std(ddof=1) / 20**0.5
    assert found["ci_low"] == pytest.approx(score.mean() - reach, rel=1e-9)
    assert found["ci_high"] == pytest.approx(score.mean() + reach, rel=1e-9)


def test_one_sample_has_a_mean_without_an_interval_and_decides_nothing() -> None:
    board = board_of({("a", "one", "gini"): [0.9], ("a", "two", "gini"): [0.1]})
    assert board["mean"].tolist() == [0.9, 0.1]
    assert board[["ci_low", "ci_high"]].isna().all(axis=None)
    assert board[["rank", "rank_low", "rank_high"]].to_numpy().tolist() == [[1, 1, 2], [2, 1, 2]]
    assert board["best"].all()


def test_no_scores_at_all() -> None:
    absent = {("a", "two", "gini"): ("failed", "why")}
    results = Results.of(make_cells({}, absent), pd.DataFrame(columns=tables.SCORES))
    assert list(results.leaderboard["status"]) == ["failed"]
    assert len(results.wide) == 1
    assert len(results.models) == 1
    assert results.standings == []
    for table in (
        results.families,
        results.health,
        results.blurred,
        results.correlations,
        results.robustness,
    ):
        assert table.empty
        assert len(table.columns)


def test_samples_of_weight_zero_are_left_out_and_counted() -> None:
    one, two = 0.5 + 0.1 * noise(0), 0.3 + 0.1 * noise(1)
    one[7] = 60
    weight = {("a", "one", "gini"): (np.arange(40) != 7).astype(float)}
    values = {("a", "one", "gini"): one, ("a", "two", "gini"): two}
    board = board_of(values, weight=weight)
    found = row(board, method="one")
    kept = np.delete(one, 7)
    assert (found["mean"], found["n"]) == (pytest.approx(kept.mean()), 39)
    assert found["note"] == "1 of 40 samples left out: their weight is zero"
    reach = stats.t.ppf(0.975, 38) * kept.std(ddof=1) / 39**0.5
    assert found["ci_high"] == pytest.approx(kept.mean() + reach)
    other = row(board, method="two")
    assert (other["mean"], other["n"]) == (pytest.approx(two.mean()), 40)
    assert other["note"] == "ranked on the 39 samples that all methods have"


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_missing_and_said_to_be(broken: float) -> None:
    """They cost the other methods that sample, and no more."""
    values = {
        ("a", method, "gini"): LEVELS[method] + 0.01 * noise(seed) for seed, method in enumerate(LEVELS)
    }
    values["a", "middle", "gini"][3] = broken
    board = board_of(values)
    found = row(board, method="middle")
    assert (found["mean"], found["n"]) == (
        pytest.approx(np.delete(values["a", "middle", "gini"], 3).mean()),
        39,
    )
    assert found["note"] == "1 of 40 samples have no score"
    assert board[["rank", "rank_low", "rank_high"]].to_numpy().tolist() == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]
    assert row(board, method="low")["n"] == 40
    assert np.isfinite(board[["mean", "ci_low", "ci_high"]].to_numpy()).all()


def test_a_method_that_lacks_too_many_samples_has_a_mean_but_no_rank() -> None:
    """3 of 40 are more than 5 %; the others keep all 40."""
    values = {
        ("a", method, "gini"): LEVELS[method] + 0.01 * noise(seed) for seed, method in enumerate(LEVELS)
    }
    weight = {("a", "middle", "gini"): (np.arange(40) > 2).astype(float)}
    board = board_of(values, weight=weight)
    found = row(board, method="middle")
    assert (found["mean"], found["n"]) == (pytest.approx(values["a", "middle", "gini"][3:].mean()), 37)
    assert found[["rank", "rank_low", "rank_high", "best"]].isna().all()
    assert found["note"] == (
        "3 of 40 samples left out: their weight is zero; no rank: more than 5 % of the samples are missing"
    )
    others = [row(board, method=method) for method in ("high", "low")]
    assert [(one["rank"], one["rank_low"], one["rank_high"], one["note"]) for one in others] == [
        (1, 1, 1, ""), (2, 2, 2, ""),
    ]  # fmt: skip


def test_where_no_sample_is_left_the_note_says_why() -> None:
    """Of three methods, one counts on no sample and one has no score; there is nothing to say of 5 %."""
    values = {
        ("a", "one", "gini"): noise(0), ("a", "two", "gini"): noise(1), ("a", "three", "gini"): np.full(40, np.nan),
    }  # fmt: skip
    weight = {("a", "one", "gini"): np.zeros(40)}
    cells, scores = make_cells(values), make_scores(values, weight=weight)
    for perturbation, why in (
        ("", "their weight is zero"),
        ("noise", "the prediction changed under the perturbation"),
    ):
        results = Results.of(
            cells.assign(perturbation=perturbation), scores.assign(perturbation=perturbation)
        )
        found = row(results.leaderboard, method="one")
        assert (found["note"], found["n"]) == (f"no sample is left: {why}", 0)
        assert row(results.leaderboard, method="three")["note"] == "40 of 40 samples have no score"
        assert row(results.leaderboard, method="two")["note"] == ""


RARE = np.zeros(100)
RARE[[10, 60]] = 1


@pytest.mark.parametrize(
    ("metric", "other", "claimed"),
    [
        ("gini", 0.10, False),  # .08 apart: ten samples more with a score of 1 would turn it round
        ("gini", 0.14, True),  # .12 apart
        ("mine", 0.14, False),  # scores may be anything on the samples that are yet to come
    ],
)
def test_what_hardly_a_sample_shows_is_no_claim_and_said(metric: str, other: float, claimed: bool) -> None:
    """Two of a hundred: beyond 10 R / n = .1 for scores from 0 to 1."""
    values = {("a", "rare", metric): RARE, ("a", "often", metric): other + 0.01 * noise(0, 100)}
    board = board_of(values)
    found = row(board, method="rare")
    assert found["note"] == "differs from its most frequent score on fewer than 20 samples"
    assert row(board, method="often")["note"] == ""
    assert (found["rank"], found["rank_low"], found["rank_high"]) == (2, 1 + claimed, 2)
    assert found["best"] == (not claimed)


def test_nineteen_samples_are_rare_and_twenty_are_not() -> None:
    scores = {f"by{count}": (np.arange(60) < count) * np.linspace(0.1, 0.9, 60) for count in (19, 20)}
    board = board_of({("a", method, "gini"): score for method, score in scores.items()})
    assert "most frequent score" in row(board, method="by19")["note"]
    assert "most frequent score" not in row(board, method="by20")["note"]


def test_too_few_samples_for_their_skewness_are_said() -> None:
    """Lognormal scores and their mirror images, 100 of each: false claims may be more frequent than 5 %."""
    drawn = np.random.default_rng(0).lognormal(size=(100, 11))
    skewed = {("a", f"m{j}", "mine"): drawn[:, j] * (-1) ** j for j in range(11)}
    even = {("a", f"m{j}", "mine"): noise(j, 100) for j in range(11)}
    results = Results.of(make_cells(skewed), make_scores(skewed))
    ranks = results.standings[0].ranks
    assert ranks
    assert ranks.error > TOLERATED
    wanted = "perhaps too few samples for their skewness: false claims may be more frequent than 5 %"
    assert set(results.leaderboard["note"]) == {wanted}
    assert set(board_of(even)["note"]) == {""}
    assert shown(skewed, "mine").str.fullmatch(r"\S+ \(\d+–\d+\)≈( ★)?").all()
    assert not shown(even, "mine").str.contains("≈").any()


def test_ranks_of_rare_events_bear_a_sign() -> None:
    """Whoever reads the page alone sees that there is a note."""
    values = {("a", "rare", "gini"): RARE, ("a", "often", "gini"): 0.14 + 0.01 * noise(0, 100)}
    assert shown(values, "gini").to_dict() == {"often": "0.14 (1–1) ★", "rare": "0.02 (2–2)≈"}
    results = Results.of(make_cells(values), make_scores(values))
    assert "≈ see its note in leaderboard.csv" in " ".join(describe_run(Path(), results).split())


def test_the_set_of_the_best_has_all_that_none_is_better_than() -> None:
    values = {
        ("a", "one", "gini"): 0.5 + 0.1 * noise(0), ("a", "two", "gini"): 0.5 + 0.1 * noise(1),
        ("a", "worse", "gini"): 0.2 + 0.1 * noise(2), ("b", "worse", "gini"): 0.2 + 0.1 * noise(2),
    }  # fmt: skip
    board = board_of(values)
    of_model = board[board["model"] == "a"].set_index("method")["best"]
    assert of_model.to_dict() == {"one": True, "two": True, "worse": False}
    assert row(board, model="b")["best"]
    assert ((board["rank_low"] == 1) == board["best"]).all()


def test_best_and_control_are_appended_as_words(tmp_path: Path) -> None:
    """``True``, ``False``, or nothing where there is no rank; a control is one also where it failed."""
    assert LEADERBOARD == [
        "dataset", "model", "family", "method", "metric", "settings", "perturbation", "metric_family",
        "higher_is_better", "mean", "ci_low", "ci_high", "n", "rank", "rank_low", "rank_high", "seconds", "status",
        "note", "best", "control",
    ]  # fmt: skip
    values = {
        ("a", "good", "gini"): 0.6 + 0.01 * noise(0), ("a", "edges", "gini"): 0.2 + 0.01 * noise(1),
        ("a", "good", "deletion.count"): noise(2),
    }  # fmt: skip
    cells = make_cells(values, {("a", "edges", "deletion"): ("failed", "why")})
    cells["control"] = cells["method"] == "edges"
    write_csv(Results.of(cells, make_scores(values)).leaderboard, tmp_path / "leaderboard.csv")
    lines = (tmp_path / "leaderboard.csv").read_text().splitlines()
    assert lines[0] == ",".join(LEADERBOARD)
    fields = [line.split(",") for line in lines[1:]]
    assert {(one[3], one[4]): one[-2:] for one in fields} == {
        ("good", "gini"): ["True", "False"], ("edges", "gini"): ["False", "True"],
        ("good", "deletion.count"): ["", "False"], ("edges", "deletion"): ["", "True"],
    }  # fmt: skip


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
        assert found["best"] is pd.NA
        assert not found["control"]
        assert found["family"] == FAMILY[model]
    assert row(board, method="one", model="a")["rank_high"] == 1


def test_nothing_left_gives_an_empty_mean_and_no_rank() -> None:
    values = {("a", "one", "gini"): [1.0, 2.0], ("a", "two", "gini"): [1.0, 1.0]}
    weight = {("a", "one", "gini"): [0.0, 0.0]}
    board = Results.of(make_cells(values), make_scores(values, weight=weight)).leaderboard
    found = row(board, method="one")
    assert found[["mean", "ci_low", "ci_high", "rank"]].isna().all()
    assert found["n"] == 0
    assert found["best"] is pd.NA
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


@pytest.mark.parametrize(
    ("first", "second", "names", "values"),
    [
        (
            "baseline=zero,steps=28",
            "baseline=mean,steps=28",
            ["deletion[baseline=mean]", "deletion[baseline=zero]"],
            [3.0, 1.0],
        ),
        ("steps=28,cell=4", "steps=28", ["deletion", "deletion[cell=4]"], [3.0, 1.0]),
        ("steps=28", "steps=28,cell=4", ["deletion", "deletion[cell=4]"], [1.0, 3.0]),
    ],
)
def test_wide_names_settings_that_tell_columns_apart(
    first: str, second: str, names: list[str], values: list[float]
) -> None:
    """Also one that was added later, and stands in no row that has it at its default."""
    one, two = {("a", "one", "deletion"): [1.0]}, {("a", "one", "deletion"): [3.0]}
    scores = pd.concat(
        [make_scores(one, settings=first), make_scores(two, settings=second)], ignore_index=True
    )
    cells = pd.concat([make_cells(one, settings=first), make_cells(two, settings=second)], ignore_index=True)
    wide = Results.of(cells, scores).wide
    assert list(wide.columns)[4:] == names
    assert wide.iloc[0, 4:].tolist() == values
