"""Comparisons of hand-made scores with known answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_made_scores import Scores, make_cells, make_scores, noise, row
from scipy import stats
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.report.comparison.ask import Comparison, read_question
from xaiboard.benchmark.report.comparison.table import COMPARE, compare
from xaiboard.benchmark.report.comparison.write import describe
from xaiboard.benchmark.report.results import Results

Absent = dict[tuple[str, str, str], tuple[str, str]]


def asked(values: Scores, *, absent: Absent | None = None, **question: Any) -> pd.DataFrame:  # noqa: ANN401
    results = Results.of(make_cells(values, absent), make_scores(values))
    return compare(results, read_question(**question))


def printed(values: Scores, *, absent: Absent | None = None, **words: Any) -> str:  # noqa: ANN401
    results = Results.of(make_cells(values, absent), make_scores(values))
    question = read_question(**words)
    return describe(Comparison(question, compare(results, question), results.glossary))


def two(metric: str, difference: float, n: int = 40, spread: float = 0.1) -> Scores:
    """The methods one and two, of which the first has the greater scores, by so much on average."""
    return {
        ("a", "one", metric): 0.5 + difference + spread * noise(1, n),
        ("a", "two", metric): 0.5 + spread * noise(2, n),
    }


@pytest.mark.parametrize(
    ("metric", "verdict", "reverse"), [("gini", "better", "worse"), ("deletion", "worse", "better")]
)
def test_the_verdict_follows_the_direction_and_the_effect_the_scores(
    metric: str, verdict: str, reverse: str
) -> None:
    (found,) = asked(two(metric, 0.2), method="one").to_dict("records")
    assert list(found) == COMPARE
    assert (found["method"], found["against"], found["verdict"]) == ("one", "two", verdict)
    assert (found["mean"], found["mean_against"], found["effect"]) == pytest.approx((0.7, 0.5, 0.2))
    assert 0 < found["ci_low"] < 0.2 < found["ci_high"]
    assert (found["ci_low"] + found["ci_high"]) / 2 == pytest.approx(0.2)
    assert (found["n"], found["unit"], found["note"]) == (40, "images", "")
    assert math.isnan(found["samples_needed"])
    (other,) = asked(two(metric, 0.2), method="two").to_dict("records")
    assert other["verdict"] == reverse
    assert (other["ci_low"], other["ci_high"]) == pytest.approx((-found["ci_high"], -found["ci_low"]))


def test_what_is_not_told_apart_says_how_many_samples_would() -> None:
    """Twice the samples of a quarter of the smallest difference: four squared times as many, up to the small terms."""
    (found,) = asked(two("gini", 0.01, n=400), method="one").to_dict("records")
    assert found["verdict"] == "not told apart"
    assert found["ci_low"] < 0 < found["ci_high"]
    expected = 400 * (found["smallest_difference"] / found["effect"]) ** 2
    assert found["samples_needed"] == pytest.approx(expected, rel=0.05)
    assert found["smallest_difference"] > found["ci_high"] - found["effect"]


def test_a_margin_makes_small_differences_the_same() -> None:
    values = two("gini", 0.01, n=400)
    wide, narrow = (
        asked(values, method="one", margin=margin).to_dict("records")[0] for margin in (0.1, 0.02)
    )
    assert wide["verdict"] == "same within the margin"
    assert math.isnan(wide["samples_needed"])
    assert narrow["verdict"] == "not told apart"
    assert asked(two("gini", 0.01, n=400, spread=1e-3), method="one", margin=0.1)["verdict"].tolist() == [
        "same within the margin"
    ]
    assert asked(two("gini", 0.3), method="one", margin=0.1)["verdict"].tolist() == ["better"]


def test_with_a_margin_equal_means_can_be_settled() -> None:
    """A difference of 0 is never told apart, but with enough samples it is within any margin."""
    values = two("gini", 0.0)
    without, within = (
        asked(values, method="one", margin=margin).to_dict("records")[0] for margin in (None, 0.01)
    )
    assert within["verdict"] == "not told apart"
    assert without["samples_needed"] > 10**20  # of a mean that is 0 up to rounding
    error = (without["smallest_difference"] - without["ci_high"]) / stats.norm.ppf(0.8)
    expected = (
        40 * ((without["ci_high"] + stats.norm.ppf(0.9) * error) / 0.01) ** 2
    )  # two bounds, each with 90 %
    assert within["samples_needed"] == pytest.approx(expected, rel=0.15)


def many_columns(models: int) -> Scores:
    """Methods that differ by about as much as one column alone can tell apart."""
    return {
        (model, method, metric): 0.5 + 0.1 * noise(seed, 60) + (0.05 if method == "one" else 0.0)
        for seed, (model, method, metric) in enumerate(
            (model, method, metric)
            for model in "abcd"[:models]
            for metric in ("gini", "deletion", "deletion.normalised", "mine")
            for method in ("one", "two")
        )
    }


def test_taken_together_columns_tell_less_apart() -> None:
    values = many_columns(4)
    each, together = asked(values, method="one"), asked(values, method="one", correct="columns")
    assert len(each) == 16
    widths = ((table["ci_high"] - table["ci_low"]).to_numpy() for table in (each, together))
    assert (np.subtract(*widths) < 0).all()
    sure = {"better", "worse"}
    assert together["verdict"].isin(sure).sum() < each["verdict"].isin(sure).sum()
    assert (
        each["verdict"][together["verdict"].isin(sure)] == together["verdict"][together["verdict"].isin(sure)]
    ).all()
    assert (
        together["samples_needed"].dropna()
        > each["samples_needed"][together["samples_needed"].notna()].fillna(0)
    ).all()


def test_one_column_is_the_same_taken_together() -> None:
    values = two("gini", 0.05)
    each, together = (asked(values, method="one", correct=word) for word in (None, "columns"))
    assert together["verdict"].tolist() == each["verdict"].tolist()
    assert together["ci_low"].to_numpy() == pytest.approx(each["ci_low"].to_numpy(), rel=1e-4)


def test_the_guard_holds_claims_back_and_is_said() -> None:
    """A method that scores 0 on all of 100 images may yet score 1 on ten of them, in a range from 0 to 1."""
    values = {("a", "one", "gini"): np.full(100, 0.05), ("a", "two", "gini"): np.zeros(100)}
    (found,) = asked(values, method="one").to_dict("records")
    assert found["verdict"] == "not told apart"
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((-0.05, 0.15))
    assert found["smallest_difference"] == pytest.approx(0.1)
    assert found["samples_needed"] == pytest.approx(200, abs=1)
    assert "only a difference beyond 0.1 counts" in found["note"]
    unbounded = {(model, method, "mine"): scores for (model, method, _), scores in values.items()}
    (found,) = asked(unbounded, method="one").to_dict("records")
    assert found["verdict"] == "not told apart"
    assert (found["ci_low"], found["ci_high"]) == (-math.inf, math.inf)
    assert math.isnan(found["samples_needed"])
    assert "the metric declares no range" in found["note"]


@pytest.mark.parametrize(("n", "said"), [
    (1, "nothing can be claimed from 1 sample"), (10, "nothing can be claimed from 10 samples"),
    (11, "only a difference beyond 0.909 counts"),
])  # fmt: skip
def test_no_difference_is_asked_for_that_no_score_can_have(n: int, said: str) -> None:
    """Ten unseen images undo any difference of scores from 0 to 1 on ten; on eleven those up to 10/11."""
    values = {
        ("a", method, "gini"): np.linspace(0, level, n) for method, level in (("one", 1.0), ("two", 0.1))
    }
    (found,) = asked(values, method="one").to_dict("records")
    assert found["note"].startswith(
        "one and two: fewer than 20 samples differ from the most frequent score, so that "
    )
    assert said in found["note"]


def test_a_weight_can_make_many_samples_few() -> None:
    values = {("a", "one", "gini"): np.linspace(0, 1, 40), ("a", "two", "gini"): np.zeros(40)}
    weight = {key: [20.0] + [1.0] * 39 for key in values}
    results = Results.of(make_cells(values), make_scores(values, weight=weight))
    (found,) = compare(results, read_question(method="one")).to_dict("records")
    assert "nothing can be claimed from 40 samples" in found["note"]


@pytest.mark.parametrize("correct", [None, "columns"])
def test_one_sample_is_an_honest_row(correct: str | None) -> None:
    values = {("a", "one", "gini"): [0.9], ("a", "two", "gini"): [0.1]}
    (found,) = asked(values, method="one", correct=correct).to_dict("records")
    assert (found["n"], found["verdict"], found["effect"]) == (1, "not told apart", pytest.approx(0.8))
    assert (found["ci_low"], found["ci_high"]) == (-math.inf, math.inf)
    assert math.isnan(found["samples_needed"])
    assert "too few samples for any verdict" in found["note"]


@pytest.mark.parametrize("correct", [None, "columns"])
def test_all_ties_are_told_nothing_of(correct: str | None) -> None:
    score = 0.5 + 0.1 * noise(1)
    (found,) = asked(
        {("a", "one", "gini"): score, ("a", "two", "gini"): score * (1 + 2e-16)},
        method="one",
        correct=correct,
    ).to_dict("records")
    assert (found["verdict"], found["effect"], found["note"]) == (
        "not told apart", 0, "equal scores on all samples",
    )  # fmt: skip
    assert found["ci_low"] == found["ci_high"] == 0
    assert math.isinf(found["samples_needed"])
    assert math.isnan(found["smallest_difference"])


def test_an_interval_with_0_beside_a_verdict_is_explained() -> None:
    """Of many methods that lie apart, some pairs are told apart by a later step than the one that intervals are of."""
    values = {("a", f"m{j}", "mine"): noise(j, 50) + (10 if j > 3 else 0) * j for j in range(12)}
    values["a", "m0", "mine"] = noise(0, 50) + 0.68
    tables = pd.concat([asked(values, method=f"m{j}") for j in range(4)])
    later = tables[(tables["ci_low"] <= 0) & tables["verdict"].eq("better")]
    assert len(later)
    assert later["note"].str.contains("a later step tells the two apart").all()
    rest = tables.drop(later.index)
    assert not rest.loc[rest["ci_low"] > 0, "note"].str.contains("later step").any()


def test_cells_without_scores_keep_their_row_and_reason() -> None:
    values = {**two("gini", 0.2), ("a", "one", "mine"): noise(3), ("a", "three", "gini"): noise(4)}
    absent = {("a", "two", "mine"): ("failed", "ValueError: no")}
    found = asked(values, absent=absent, method="one")
    failed = row(found, metric="mine", against="two")
    assert (failed["n"], failed["verdict"]) == (0, "")
    assert failed["note"] == "two has no scores here: failed, ValueError: no"
    assert math.isnan(failed["effect"])
    assert row(found, metric="mine", against="three")["note"] == "three has no scores here: not in the run"
    assert row(found, metric="gini", against="two")["verdict"] == "better"
    mine = row(asked(values, absent=absent, method="two"), metric="mine", against="one")
    assert mine["note"] == failed["note"]
    assert "mine" not in set(asked(values, absent=absent, method="two", against="three")["metric"])


def test_a_method_that_lacks_too_many_samples_is_not_compared() -> None:
    values = dict(two("gini", 0.2))
    values["a", "three", "gini"] = np.where(np.arange(40) < 4, np.nan, 0.5)
    found = asked(values, method="one")
    assert row(found, against="three")["note"] == "three lacks more than 5 % of the samples"
    assert row(found, against="two")["verdict"] == "better"
    assert set(asked(values, method="three")["verdict"]) == {""}


def test_models_are_compared_where_all_classify_correctly() -> None:
    values = {
        (model, "one", metric): 0.5 + 0.1 * noise(ord(model)) + (0.3 if model == "a" else 0)
        for model in "abc"
        for metric in ("gini", "deletion")
    } | {(model, "", "accuracy"): np.arange(40) % 2 for model in "ab"}
    correct = {"b": [sample >= 10 for sample in range(40)]}
    results = Results.of(make_cells(values), make_scores(values, correct=correct))
    found = compare(results, read_question(model="a", against="b"))
    assert set(found["metric"]) == {"gini", "accuracy"}  # deletion has another scale in each model
    gini = row(found, metric="gini")
    assert (gini["n"], gini["verdict"], gini["method"]) == (30, "better", "one")
    assert gini["effect"] == pytest.approx((noise(97)[10:].mean() - noise(98)[10:].mean()) * 0.1 + 0.3)
    assert (row(found, metric="accuracy")["n"], row(found, metric="accuracy")["method"]) == (40, "")


def test_no_common_correct_sample_is_said() -> None:
    values = {(model, "one", "gini"): noise(ord(model)) for model in "ab"}
    correct = {"a": [sample < 20 for sample in range(40)], "b": [sample >= 20 for sample in range(40)]}
    results = Results.of(make_cells(values), make_scores(values, correct=correct))
    (found,) = compare(results, read_question(model="a")).to_dict("records")
    assert (found["n"], found["verdict"]) == (0, "")
    assert found["note"] == "no sample counts for all that are compared"


def test_columns_are_chosen_by_name_metric_and_settings() -> None:
    values = many_columns(2)
    for pattern, names in {
        "gini": {"gini"}, "deletion": {"deletion"}, "deletion.*": {"deletion.normalised"},
        "deletion*": {"deletion", "deletion.normalised"}, "mine,gini": {"mine", "gini"},
    }.items():  # fmt: skip
        assert set(asked(values, method="one", on=pattern)["metric"]) == names, pattern
    named = {("a", method, "deletion.normalised"): noise(1) for method in ("one", "two")}
    assert len(asked(named, method="one", on="deletion")) == 1  # there is no column of that very name
    scores = pd.concat([make_scores(two("gini", 0.1), settings=f"k={k},w=1") for k in (1, 2)])
    cells = pd.concat([make_cells(two("gini", 0.1), settings=f"k={k},w=1") for k in (1, 2)])
    results = Results.of(cells, scores)
    for pattern in ("gini[k=2]", "gini[k=2,w=1]"):
        assert compare(results, read_question(method="one", on=pattern))["settings"].tolist() == ["k=2,w=1"]


def test_only_the_named_model_counts() -> None:
    assert set(asked(many_columns(3), method="one", model="b")["model"]) == {"b"}


ERRORS = {
    "nothing to compare; name a method with --method, or a model with --model": {},
    "no method named 'onr'; did you mean 'one'?": {"method": "onr"},
    "no method named 'tow'; did you mean 'two'?": {"method": "one", "against": "tow"},
    "no model named 'z'; known: a": {"method": "one", "model": "z"},
    "no metric column named 'ginni'; did you mean 'gini'?": {"method": "one", "on": "ginni"},
    "'gini[k]' given; settings are written NAME[SETTING=VALUE]": {"method": "one", "on": "gini[k]"},
    "'gini[' given; settings are written NAME[SETTING=VALUE]": {"method": "one", "on": "gini["},
    "'gini]' given; settings are written NAME[SETTING=VALUE]": {"method": "one", "on": "gini]"},
    "'tw[' given; settings are written NAME[SETTING=VALUE]": {"method": "one", "against": "tw["},
    "'a' is a model, and with --method the question is about methods; to compare models leave --method out, name one"
    " with --model, and pick columns with --on": {"method": "one", "model": "a", "against": "two,a"},
    "'one' is to be compared with itself; name another method with --against": {
        "method": "one",
        "against": "one",
    },
    "'a' is the only model in the run; name another model with --against": {"model": "a"},
    "margin 0 given; it must be a positive number in units of the score": {"method": "one", "margin": 0},
    "margin -1 given; it must be a positive number in units of the score": {"method": "one", "margin": -1},
    "margin nan given; it must be a positive number in units of the score": {
        "method": "one",
        "margin": math.nan,
    },
    "margin inf given; it must be a positive number in units of the score": {
        "method": "one",
        "margin": math.inf,
    },
    "--against names nothing; name methods or models, or write: all": {"method": "one", "against": ""},
    "--seeds compares recipes of models; leave --method out, and name a model": {
        "method": "one",
        "seeds": True,
    },
    "--correct columns takes networks as they are; leave it out, or --seeds": {
        "model": "a",
        "seeds": True,
        "correct": "columns",
    },
    "correct='rows' given; leave it out, or write: columns": {"method": "one", "correct": "rows"},
    "nothing is better in deletion.count: there is no column with a direction; name others with --on": {
        "method": "one",
        "on": "deletion.count",
    },
    "accuracy judges models alone; compare these with --model, or name columns of methods with --on": {
        "method": "one",
        "on": "accuracy",
    },
}


@pytest.mark.parametrize("message", ERRORS)
def test_what_cannot_be_answered_is_one_sentence(message: str) -> None:
    values = {
        **two("gini", 0.1),
        ("a", "one", "deletion.count"): noise(1),
        ("a", "", "accuracy"): np.ones(40),
    }
    with pytest.raises(XaiboardError) as raised:
        asked(values, **ERRORS[message])
    assert str(raised.value) == message


def test_columns_of_a_model_s_own_scale_do_not_compare_models() -> None:
    values = {(model, "one", "deletion"): noise(1) for model in "ab"}
    with pytest.raises(XaiboardError, match="deletion may not be compared between models"):
        asked(values, model="a", on="deletion")


def test_neither_has_scores_in_the_columns() -> None:
    values = {**two("gini", 0.1), ("a", "three", "mine"): noise(1), ("a", "four", "mine"): noise(2)}
    with pytest.raises(XaiboardError, match="neither 'one' nor 'two' has scores in these columns"):
        asked(values, method="one", against="two", on="mine")


def test_a_method_with_settings_is_found_by_its_name_if_that_means_one() -> None:
    values = {
        ("a", name, "gini"): noise(place) for place, name in enumerate(("one[k=1]", "one[k=2]", "two[k=1]"))
    }
    assert asked(values, method="two")["method"].unique().tolist() == ["two[k=1]"]
    assert asked(values, method="one[k=2]", against="two")["against"].tolist() == ["two[k=1]"]
    with pytest.raises(
        XaiboardError, match=r"^'one' may be any of: one\[k=1\], one\[k=2\]; name one of them in full$"
    ):
        asked(values, method="one")


def test_the_answer_names_what_is_compared_and_not_what_was_typed() -> None:
    values = {("a", name, "gini"): noise(place) for place, name in enumerate(("one[k=1]", "two[k=1]"))}
    text = printed(values, method="on*", against="two")
    assert text.startswith("one[k=1] against two[k=1] (dataset d, model a, n 40): ")
    assert "a negative effect speaks for one[k=1]." in text
    assert "on*" not in text


def test_a_row_says_what_it_is_of() -> None:
    """Three methods in the one column, of which but two have scores that can be compared in the other."""
    values = {("a", name, "gini"): noise(place) for place, name in enumerate(("one", "two", "three"))}
    values |= {("a", name, "mine"): noise(place) for place, name in enumerate(("one", "two"))}
    plain = asked(values, method="one")
    assert plain["rivals"].tolist() == [3, 3, pd.NA, 2]
    assert set(plain["correct"]) == {""}
    assert plain["margin"].isna().all()
    other = asked(values, method="one", margin=0.5, correct="columns", against="two")
    assert (set(other["correct"]), set(other["margin"])) == ({"columns"}, {0.5})
    assert COMPARE[-3:] == ["correct", "margin", "rivals"]


@pytest.mark.parametrize("against", ["all,two", ["two", "all"]])
def test_all_among_names_is_all(against: str | list[str]) -> None:
    values = {("a", name, "gini"): noise(place) for place, name in enumerate(("one", "two", "three"))}
    assert asked(values, method="one", against=against)["against"].tolist() == ["three", "two"]


def test_rivals_named_twice_have_one_row() -> None:
    assert len(asked(two("gini", 0.1), method="one", against="two,two")) == 1


def test_the_terminal_says_what_is_compared_for_whom_and_how_to_read_it() -> None:
    text = printed(two("deletion", 0.2), method="two", margin=0.05)
    assert text.startswith(
        "two against one (dataset d, model a, n 40): 1 better, 0 worse, 0 same within the margin, 0 not told apart."
    )
    assert "chance alone gives a false verdict with a probability of up to 5 %." in text
    assert "| deletion ↓ | -0.2 " in text
    assert "where lower is better (↓), a negative effect speaks for two" in text
    assert "Differences up to 0.05 do not matter" in text
    together = printed(two("deletion", 0.2), method="two", correct="columns")
    assert "Intervals and verdicts of all columns together hold at 95 %" in together
    assert "chance" not in together


def test_notes_are_under_the_table_once() -> None:
    absent = {("a", "two", "mine"): ("failed", "why"), ("b", "two", "mine"): ("failed", "why")}
    values = {**two("gini", 0.1), ("a", "one", "mine"): noise(1), ("b", "one", "mine"): noise(1)}
    text = printed(values, absent=absent, method="one", against="two")
    assert text.count("- [1] two has no scores here: failed, why\n") == 1
    assert text.count("no verdict [1]") == 2
    assert "2 without a verdict" in text


def test_what_chance_gives_is_said_in_numbers_that_are_right() -> None:
    """5 % of five columns are a quarter; without a verdict there is nothing that chance could give."""
    values = {
        ("a", method, f"{metric}{part}"): noise(place)
        for metric, part in (("gini", ""), ("mine", ""), ("deletion", ""), ("deletion", ".normalised"))
        for place, method in enumerate(("one", "two"))
    } | {("b", method, "gini"): noise(place) for place, method in enumerate(("one", "two"))}
    assert "a false verdict in up to 0.25 of the 5 columns (--correct columns" in printed(
        values, method="one"
    )
    absent = {("a", "two", "gini"): ("failed", "why")}
    text = printed({("a", "one", "gini"): noise(1)}, absent=absent, method="one", against="two")
    assert "0 not told apart, 1 without a verdict." in text
    assert "chance" not in text
    assert "95 %" not in text.partition("|")[0]


def test_a_terminal_gets_lines_that_fit_and_a_summary_of_many_rows() -> None:
    long = "a_metric_column_of_a_really_long_name_that_leaves_little_room_for_others"
    scores = make_scores(two("gini", 0.001)).assign(metric=long)
    cells = make_cells(two("gini", 0.001)).assign(metric=long)
    results = Results.of(cells, scores)
    question = read_question(method="one")
    text = describe(Comparison(question, compare(results, question), results.glossary))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert max(map(len, lines)) <= 125
    assert "smallest" not in text
    assert "verdict" in lines[0]
    many = {("a", f"m{j}", metric): noise(j) for j in range(32) for metric in ("gini", "mine")}
    text = printed(many, method="m0")
    rows = [line for line in text.splitlines() if line.startswith("| m")]
    assert len(rows) == 31
    assert "Each column is in compare.md." in text
