"""Scores sorted into blocks: whatever their order, on whichever samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hand_made_scores import Scores, make_scores, noise
from xaiboard.benchmark.report.blocks import Blocks
from xaiboard.benchmark.statistics.means import means
from xaiboard.benchmark.store import tables

VALUES: Scores = {
    (model, method, metric): noise(seed, 6)
    for seed, (model, method, metric) in enumerate(
        [("b", "two", "gini"), ("a", "one", "gini"), ("a", "two", "deletion"), ("a", "", "accuracy")]
    )
}


def shuffled(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.sample(frac=1, random_state=0)


def test_a_block_is_a_row_of_the_leaderboard_with_its_samples_in_order() -> None:
    scores = make_scores(VALUES)
    for given in (scores, shuffled(scores), scores[::-1]):
        blocks = Blocks(given)
        names = list(zip(blocks.rows["model"], blocks.rows["method"], blocks.rows["metric"], strict=True))
        assert names == sorted(VALUES)
        for place, name in enumerate(names):
            assert blocks.of("sample", place).tolist() == list(range(6))
            assert blocks.of("score", place).tolist() == list(VALUES[name])
            assert blocks.facts(place)["family"] == {"a": "ot", "b": "standard"}[name[0]]
        assert blocks.rows["across_models"].tolist() == [True, True, False, True]
        assert list(blocks.words["higher_is_better"]) == ["True", "True", "False", "True"]


@pytest.mark.parametrize("rows", [[0, 1, 3, 2], [0, 2, 1, 3], [1, 0, 3, 2], [2, 0, 3, 1]])
def test_scores_are_put_in_order_where_blocks_are_torn_or_samples_descend(rows: list[int]) -> None:
    """Rows 0 and 1 are samples of one block, 2 and 3 of another."""
    scores = make_scores({("a", "one", "gini"): [1.0, 2.0], ("b", "one", "gini"): [3.0, 4.0]})
    blocks = Blocks(scores.iloc[rows])
    assert [blocks.of("score", place).tolist() for place in (0, 1)] == [[1, 2], [3, 4]]


def test_words_that_are_kept_as_codes_are_the_same() -> None:
    """As they are read from Parquet, with words in the categories that no row has."""
    scores = make_scores(VALUES)
    coded = scores.astype(dict.fromkeys(("model", "method", "metric"), "category"))
    coded["model"] = (
        coded["model"].cat.add_categories(["another"]).cat.reorder_categories(["another", "b", "a"])
    )
    pd.testing.assert_frame_equal(Blocks(coded).rows, Blocks(scores).rows)


def test_without_scores_there_are_no_blocks() -> None:
    blocks = Blocks(pd.DataFrame(columns=tables.SCORES))
    assert len(blocks.rows) == 0
    assert list(blocks.groups(["dataset", "model"])) == []
    assert len(blocks.correct("d")) == 0


def test_groups_are_sorted_and_have_what_counts() -> None:
    blocks = Blocks(make_scores(VALUES))
    found = {key: places.tolist() for key, places in blocks.groups(["dataset", "model"])}
    assert found == {("d", "a"): [0, 1, 2], ("d", "b"): [3]}
    methods = blocks.groups(["metric"], blocks.rows["method"] != "")
    assert [(key, places.tolist()) for key, places in methods] == [(("deletion",), [2]), (("gini",), [1, 3])]


def on_samples(
    model: str, samples: list[int], score: list[float], correct: list[bool] | None = None
) -> pd.DataFrame:
    given = make_scores({(model, "one", "gini"): score}, correct={model: correct or [True] * len(score)})
    return given.assign(sample=samples)


def test_blocks_of_other_samples_are_aligned_with_nan_and_weight_zero() -> None:
    scores = pd.concat(
        [on_samples("a", [1, 2, 5], [0.1, 0.2, 0.5]), on_samples("b", [2, 3, 5], [2.0, 3.0, 5.0])]
    )
    for given in (scores, shuffled(scores)):
        score, weight = Blocks(given).matrix(np.array([0, 1]))
        np.testing.assert_array_equal(score, [[0.1, np.nan], [0.2, 2], [np.nan, 3], [0.5, 5]])
        np.testing.assert_array_equal(weight, [[1, 0], [1, 1], [0, 1], [1, 1]])


def test_samples_that_do_not_count_are_not_taken_whichever_blocks_have_them() -> None:
    scores = pd.concat(
        [on_samples("a", [1, 2, 5], [0.1, 0.2, 0.5]), on_samples("b", [2, 3, 5], [2.0, 3.0, 5.0])]
    )
    counted = pd.Series({2: True, 5: False, 7: True, 1: True})  # of sample 3 nothing is known
    score, weight = Blocks(scores).matrix(np.array([0, 1]), counted)
    np.testing.assert_array_equal(score, [[0.1, np.nan], [0.2, 2]])
    np.testing.assert_array_equal(weight, [[1, 0], [1, 1]])


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_have_no_weight(broken: float) -> None:
    given = make_scores({("a", "one", "gini"): [0.5, broken], ("a", "two", "gini"): [0.5, 0.6]})
    before = given["score"].copy()
    score, weight = Blocks(given).matrix(np.array([0, 1]))
    np.testing.assert_array_equal(score, [[0.5, 0.5], [np.nan, 0.6]])
    np.testing.assert_array_equal(weight, [[1, 1], [0, 1]])
    pd.testing.assert_series_equal(given["score"], before)


@pytest.mark.parametrize("places", [[0, 1, 2], [2, 0, 1], [1, 2]])
def test_equal_blocks_have_means_that_are_equal_to_the_last_bit(places: list[int]) -> None:
    """Whatever stands beside them: sums along another axis of memory are taken in another order."""
    same = 1 / (1 + np.random.default_rng(0).uniform(size=1001))
    weight = np.random.default_rng(1).uniform(size=1001)
    values = {("a", "one", "gini"): same, ("a", "other", "gini"): noise(2, 1001), ("a", "two", "gini"): same}
    blocks = Blocks(make_scores(values, weight=dict.fromkeys(values, weight)))
    alone = means(*blocks.matrix(np.array([0]))).mean[0]
    found = means(*blocks.matrix(np.array(places))).mean
    for position, place in enumerate(places):
        if place != 1:
            assert found[position] == alone


def test_samples_are_correct_where_all_models_are() -> None:
    scores = pd.concat(
        [
            on_samples("b", [5, 1, 2], [0, 0, 0], [False, True, True]),
            on_samples("a", [1, 2, 3], [0, 0, 0], [True, False, True]),
            make_scores({("c", "", "accuracy"): [0.0] * 6}, correct={"c": [False] * 6}),
        ]
    )
    blocks = Blocks(scores)
    assert blocks.correct("d").to_dict() == {1: True, 2: False, 3: True, 5: False}
    assert blocks.correct("d").index.is_monotonic_increasing
    assert blocks.correct("another").empty
