"""Families of models compared in pairs, from hand-made scores with known results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hand_made_scores import Scores, make_cells, make_scores, noise, row
from xaiboard.benchmark.report.families import FAMILIES
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.sides import Side, family_sides, opponents, single_sides
from xaiboard.benchmark.statistics.differences import differences, inflated
from xaiboard.benchmark.statistics.ranks import prepare
from xaiboard.benchmark.statistics.signs import flipped_sums

COMPARED = {
    (model, "one", "gini"): level + 0.05 * noise(seed)
    for seed, (model, level) in enumerate({"a": 0.8, "b": 0.15, "c": 0.35}.items())
}

NUMBERS = ["mean_a", "mean_b", "difference", "ci_low", "ci_high", "better"]


def families_of(
    values: Scores, *, weight: Scores | None = None, correct: Mapping[str, Sequence[bool]] | None = None
) -> pd.DataFrame:
    return Results.of(make_cells(values), make_scores(values, weight=weight, correct=correct)).families


def pair_by_hand(one: np.ndarray, other: np.ndarray, critical: float) -> tuple[float, float]:
    """The interval of a paired difference of plain means, which reaches ``critical`` standard errors."""
    apart = one - other
    error = ((apart - apart.mean()) ** 2).sum() ** 0.5 / len(apart)
    return apart.mean() - critical * error, apart.mean() + critical * error


def test_families_are_compared_on_samples_that_all_models_classify_correctly() -> None:
    right = {"a": np.arange(40) != 3, "b": np.full(40, True), "c": np.arange(40) != 8}
    kept = right["a"] & right["c"]
    table = families_of(COMPARED, correct={model: list(of) for model, of in right.items()})
    assert list(table.columns) == FAMILIES
    assert (table["n"] == 38).all()
    assert set(zip(table["models_a"], table["models_b"], strict=True)) == {
        ("a", "b"),
        ("a", "c"),
        ("a", "b+c"),
    }
    a, b, c = (COMPARED[model, "one", "gini"][kept] for model in "abc")
    pair = row(table, models_a="a", models_b="b")
    assert (pair["family_a"], pair["family_b"]) == ("ot", "standard")
    assert (pair["mean_a"], pair["mean_b"]) == (pytest.approx(a.mean()), pytest.approx(b.mean()))
    assert pair["difference"] == pytest.approx((a - b).mean())
    assert pair["better"] == "ot"
    whole = row(table, models_a="a", models_b="b+c")
    assert whole["mean_b"] == pytest.approx((b.mean() + c.mean()) / 2)
    assert whole["difference"] == pytest.approx((a - (b + c) / 2).mean())
    assert (whole["better"], whole["status"], whole["note"]) == ("ot", "ok", "")


def direct(*rows: np.ndarray) -> float:
    """By how many standard errors the intervals of all pairs of rows reach, asked of the statistics themselves."""
    score = np.stack(rows, 1)
    column = prepare(score, np.ones_like(score), higher_is_better=True, bounds=(0, 1))
    found = differences(column.means, column.needed, flipped_sums(column.means.influence))
    return inflated(found.critical, found.n)


def test_intervals_hold_for_all_pairs_of_models_together_and_for_all_of_families() -> None:
    a, b, c = COMPARED.values()
    table = families_of(COMPARED)
    for other, name in ((b, "b"), (c, "c")):
        found = row(table, models_a="a", models_b=name)
        assert (found["ci_low"], found["ci_high"]) == pytest.approx(pair_by_hand(a, other, direct(a, b, c)))
    mean = (b + c) / 2
    whole = row(table, models_a="a", models_b="b+c")
    assert (whole["ci_low"], whole["ci_high"]) == pytest.approx(pair_by_hand(a, mean, direct(a, mean)))
    assert direct(a, mean) < direct(a, b, c)


def test_a_family_of_weighted_columns_is_the_mean_of_ratios() -> None:
    """Its error is that of the sum of both models' influence, sample by sample."""
    values = {
        (model, "one", "deletion.normalised"): 0.5 + 0.1 * noise(seed) for seed, model in enumerate("abc")
    }
    weight = {key: np.random.default_rng(seed + 9).uniform(0.2, 1, 40) for seed, key in enumerate(values)}
    table = families_of(values, weight=weight)
    whole = row(table, models_a="a", models_b="b+c")
    mean, influence = {}, {}
    for model in "abc":
        x, w = (table[model, "one", "deletion.normalised"] for table in (values, weight))
        mean[model] = (w * x).sum() / w.sum()
        influence[model] = w * (x - mean[model]) / w.mean()
    assert whole["mean_b"] == pytest.approx((mean["b"] + mean["c"]) / 2)
    apart = influence["a"] - (influence["b"] + influence["c"]) / 2
    alone = influence["a"] - influence["b"]
    of_pair = row(table, models_a="a", models_b="b")
    width, width_of_pair = (one["ci_high"] - one["ci_low"] for one in (whole, of_pair))
    critical = [width / (apart**2).sum() ** 0.5, width_of_pair / (alone**2).sum() ** 0.5]
    assert 2 * 1.9 / 40 < critical[0] < critical[1] < 2 * 3.0 / 40  # two families, three models


@pytest.mark.parametrize(
    ("metric", "better"), [("gini", "ot"), ("deletion.normalised", "standard"), ("neutral", "")]
)
def test_the_better_family_follows_the_direction_and_the_interval(metric: str, better: str) -> None:
    shared = noise(0)
    values = {
        ("a", "one", metric): 0.6 + 0.1 * shared, ("b", "one", metric): 0.4 + 0.1 * shared + 0.01 * noise(1),
        ("a", "two", metric): 0.5 + 0.1 * noise(2), ("b", "two", metric): 0.51 + 0.1 * noise(3),
    }  # fmt: skip
    table = families_of(values)
    found = row(table, method="one")
    assert found["better"] == better
    assert found["difference"] == pytest.approx(0.2)
    assert 0.19 < found["ci_low"] < 0.2 < found["ci_high"] < 0.21  # unpaired it would be .2 ± .05
    undecided = row(table, method="two")
    assert undecided["better"] == ""
    assert undecided["ci_low"] < undecided["difference"] < 0 < undecided["ci_high"]


def test_an_interval_without_zero_is_a_verdict_and_a_verdict_has_its_direction() -> None:
    """Small true differences, each way, in many columns of few samples; some of scores that are mostly 0."""
    rng = np.random.default_rng(0)
    verdicts = 0
    for n, metric in product((12, 25, 40, 80), ("gini", "mine", "deletion.normalised")):
        values = {}
        for method in map(str, range(12)):
            shared = rng.normal(size=n)
            for model in "abcd":
                score = 0.5 + 0.1 * shared + rng.normal(0, 0.05) + 0.1 * rng.normal(size=n)
                rare = rng.uniform(size=n) > 0.3 if method in "012" else 0
                values[model, method, metric] = np.clip(np.where(rare, 0, score), 0, 1)
        table = families_of(values)
        assert len(table) == 12 * (5 + 2)
        upward = metric != "deletion.normalised"
        for _, found in table.iterrows():
            sides = (
                (found["family_a"], found["family_b"]) if upward else (found["family_b"], found["family_a"])
            )
            above, below = found["ci_low"] > 0, found["ci_high"] < 0
            wanted = sides[0] if above else sides[1] if below else None
            if wanted:
                assert found["better"] == wanted
            if found["better"]:
                assert found["better"] == (sides[0] if found["difference"] > 0 else sides[1])
            verdicts += bool(found["better"])
            assert found["ci_low"] <= found["difference"] <= found["ci_high"]
    assert 50 < verdicts < 600


RARE = np.zeros(100)
RARE[[10, 60]] = 1


@pytest.mark.parametrize(("level", "claimed"), [(0.10, False), (0.14, True)])
def test_rare_scores_of_one_model_guard_its_family(level: float, claimed: bool) -> None:
    """Two of a hundred are not 0: only beyond 10 R / n = .1 is anything claimed, also of a mean with it."""
    values = {
        ("a", "one", "gini"): level + 0.001 * noise(0, 100), ("b", "one", "gini"): RARE,
        ("c", "one", "gini"): 0.02 + 0.001 * noise(1, 100),
    }  # fmt: skip
    table = families_of(values)
    for other in ("b", "b+c"):
        found = row(table, models_a="a", models_b=other)
        assert found["better"] == ("ot" if claimed else "")
        assert (found["ci_low"] > 0) == claimed
        assert found["ci_low"] <= found["difference"] - 0.1
    assert row(table, models_b="c")["better"] == "ot"


def test_ties_differ_by_nothing() -> None:
    same = 0.5 + 0.1 * noise(0)
    values = {(model, "one", "gini"): same for model in "abc"}
    table = families_of(values)
    assert len(table) == 3
    assert (table[["difference", "ci_low", "ci_high"]] == 0).all(axis=None)
    assert (table["better"] == "").all()
    assert (table["n"] == 40).all()


def test_one_sample_decides_nothing() -> None:
    table = families_of({("a", "one", "gini"): [0.9], ("b", "one", "gini"): [0.1]})
    found = table.iloc[0]
    assert (found["n"], found["status"], found["better"]) == (1, "ok", "")
    assert found["difference"] == pytest.approx(0.8)
    assert found["ci_low"] < -1
    assert found["ci_high"] > 1


def test_a_model_that_lacks_too_many_samples_leaves_its_sides_empty() -> None:
    weight = {("c", "one", "gini"): (np.arange(40) > 2).astype(float)}
    table = families_of(COMPARED, weight=weight)
    for other in ("c", "b+c"):
        found = row(table, models_b=other)
        assert (found["status"], found["note"]) == (
            "inapplicable",
            "more than 5 % of the samples are missing",
        )
        assert found["n"] == 0
        assert found[NUMBERS].isna().all()
    alone = row(table, models_b="b")
    assert (alone["status"], alone["n"], alone["better"]) == ("ok", 40, "ot")


def test_a_sample_that_one_model_lacks_is_no_sample_of_any() -> None:
    weight = {("c", "one", "gini"): (np.arange(40) != 5).astype(float)}
    table = families_of(COMPARED, weight=weight)
    assert (table["n"] == 39).all()
    a = np.delete(COMPARED["a", "one", "gini"], 5)
    assert table["mean_a"].tolist() == pytest.approx([a.mean()] * 3)


def test_models_on_other_samples_are_compared_on_those_of_both() -> None:
    """As in two runs that are joined: model b has no sample 0, and model a none of number 40."""
    values = {("a", "one", "gini"): 0.8 + 0.05 * noise(0), ("b", "one", "gini"): 0.2 + 0.05 * noise(1)}
    scores = make_scores(values)
    scores.loc[scores["model"] == "b", "sample"] += 1
    scores.loc[(scores["model"] == "b") & (scores["sample"] == 7), "correct"] = False
    found = Results.of(make_cells(values), scores).families.iloc[0]
    a, b = (score for score in values.values())
    kept = np.array([sample for sample in range(1, 40) if sample != 7])
    assert found["n"] == 38
    assert found["difference"] == pytest.approx((a[kept] - b[kept - 1]).mean())


def test_whole_families_of_one_model_each_meet_once() -> None:
    models = pd.DataFrame({"model": list("abcd"), "family": ["ot", "standard", "standard", "adversarial"]})
    single, whole = single_sides(models), family_sides(models)
    assert whole == [Side("adversarial", ("d",)), Side("ot", ("a",)), Side("standard", ("b", "c"))]
    alone = {single[a].models + single[b].models for a, b in opponents(single)}
    assert alone == {("a", "b"), ("a", "c"), ("a", "d"), ("b", "d"), ("c", "d")}
    together = {(whole[a].family, whole[b].family) for a, b in opponents(whole)}
    assert together == {("adversarial", "standard"), ("ot", "standard")}


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
    values = {**COMPARED, ("a", "two", "gini"): [0.1] * 40, ("b", "two", "gini"): [0.2] * 40}
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
    correct = {"a": [True, False] * 20, "b": [False, True] * 20}
    table = Results.of(make_cells(COMPARED), make_scores(COMPARED, correct=correct)).families
    assert len(table) == 3
    assert (table["n"] == 0).all()
    assert table["mean_a"].isna().all()
    assert set(table["note"]) == {"no sample counts for all that are compared"}


def test_where_no_sample_has_a_weight_the_note_does_not_blame_the_models() -> None:
    """All models classify all samples correctly."""
    table = families_of(COMPARED, weight={key: [0.0] * len(score) for key, score in COMPARED.items()})
    assert set(table["note"]) == {"no sample counts for all that are compared"}
    assert set(table["status"]) == {"inapplicable"}


def test_one_family_has_nothing_to_compare() -> None:
    values = {("b", "one", "gini"): [0.1, 0.2], ("c", "one", "gini"): [0.3, 0.2]}
    assert Results.of(make_cells(values), make_scores(values)).families.empty


def test_under_a_perturbation_a_sample_counts_whose_prediction_held_for_all_models() -> None:
    """One model loses its prediction on 12 of 40 samples: these are no samples of the other either; none is missing."""
    held = [0.0] * 12 + [1.0] * 28
    scores = {("a", "one", "gini"): 0.8 + 0.05 * noise(0), ("b", "one", "gini"): 0.2 + 0.05 * noise(1)}
    under = "noise[eps=0.1]"
    table = make_scores(scores, weight={("a", "one", "gini"): held}).assign(perturbation=under)
    cells = make_cells(scores).assign(perturbation=under)
    pair = row(Results.of(cells, table).families, models_a="a", models_b="b")
    assert (pair["n"], pair["status"], pair["better"]) == (28, "ok", "ot")
    kept = [scores[model, "one", "gini"][12:].mean() for model in "ab"]
    assert (pair["mean_a"], pair["mean_b"]) == (pytest.approx(kept[0]), pytest.approx(kept[1]))
    without = Results.of(
        make_cells(scores), make_scores(scores, weight={("a", "one", "gini"): held})
    ).families
    assert row(without, models_a="a", models_b="b")["note"] == "more than 5 % of the samples are missing"
