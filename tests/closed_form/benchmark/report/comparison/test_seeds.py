"""Recipes compared by several networks of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from hand_made_scores import make_cells, make_scores, noise, row
from scipy import stats
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.report.comparison.ask import Comparison, read_question
from xaiboard.benchmark.report.comparison.table import compare
from xaiboard.benchmark.report.comparison.write import describe
from xaiboard.benchmark.report.results import Results


def networks(
    levels: Mapping[str, Sequence[float]], *, metric: str = "gini", spread: float = 0.0, first: int = 0
) -> Results:
    """Networks of the recipes, of seed 0, 1, …, that have these mean scores on 40 images."""
    scores, cells = [], []
    for recipe, of_recipe in levels.items():
        for seed, level in enumerate(of_recipe, first):
            values = {("a", "one", metric): level + spread * noise(len(scores))}
            name = {"model": f"{recipe}.seed{seed}" if seed else recipe}
            scores.append(make_scores(values).assign(**name))
            cells.append(make_cells(values).assign(**name))
    return Results.of(pd.concat(cells, ignore_index=True), pd.concat(scores, ignore_index=True))


LEVELS = {"net.x": [0.9, 1.1, 1.3], "net.y": [0.2, 0.4, 0.3, 0.6], "net.z": [0.5]}


def test_few_seeds_have_welch_s_interval() -> None:
    found = compare(networks(LEVELS), read_question(model="net.x", seeds=True))
    known = stats.ttest_ind(LEVELS["net.x"], LEVELS["net.y"], equal_var=False).confidence_interval(0.95)
    pair = row(found, against="net.y")
    assert (pair["ci_low"], pair["ci_high"]) == pytest.approx((known.low, known.high))
    assert pair["effect"] == pytest.approx(1.1 - 0.375)
    assert (pair["mean"], pair["mean_against"]) == pytest.approx((1.1, 0.375))
    assert (pair["verdict"], pair["n"], pair["unit"]) == ("better", 40, "seeds and images")
    assert pair["note"] == "networks: 3 against 4"


def test_one_seed_gives_no_interval_and_no_verdict() -> None:
    alone = row(compare(networks(LEVELS), read_question(model="net.x", seeds=True)), against="net.z")
    assert alone["effect"] == pytest.approx(0.6)
    assert np.isnan([alone["ci_low"], alone["ci_high"]]).all()
    assert (alone["verdict"], alone["unit"]) == ("", "seeds and images")
    assert alone["note"] == "networks: 3 against 1; one network says nothing about its recipe"


def test_where_lower_is_better_the_verdict_turns_and_the_effect_does_not() -> None:
    found = compare(networks(LEVELS, metric="deletion.normalised"), read_question(model="net.x", seeds=True))
    pair = row(found, against="net.y")
    assert (pair["verdict"], pair["effect"]) == ("worse", pytest.approx(0.725))
    assert 0 < pair["ci_low"] < pair["ci_high"]


def test_networks_that_differ_do_not_make_a_recipe_that_differs() -> None:
    """Each pair of networks is told apart on these images, the recipes are not."""
    results = networks({"net.x": [0.1, 0.9], "net.y": [0.2, 0.6]}, spread=0.01)
    assert set(compare(results, read_question(model="net.x"))["verdict"]) == {"worse"}
    assert compare(results, read_question(model="net.x", seeds=True))["verdict"].tolist() == [
        "not told apart"
    ]


def test_five_seeds_are_drawn_anew() -> None:
    """The means of the networks alone, without variance of images, from a slow bootstrap."""
    levels = {"net.x": [0.5, 0.7, 0.9, 1.0, 1.4], "net.y": [0.1, 0.2, 0.5, 0.6, 1.1]}
    (found,) = compare(networks(levels), read_question(model="net.x", seeds=True)).to_dict("records")
    rng = np.random.default_rng(0)
    drawn = [
        np.mean(rng.choice(levels["net.x"], 5)) - np.mean(rng.choice(levels["net.y"], 5)) for _ in range(4000)
    ]
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.05)
    assert found["note"] == "networks: 5 against 5"


@pytest.mark.parametrize("name", ["net.x", "net.x.seed2"])
def test_any_network_names_its_recipe(name: str) -> None:
    every = compare(networks(LEVELS), read_question(model="net.x", against="net.y", seeds=True))
    found = compare(networks(LEVELS), read_question(model=name, against="net.y.seed1,net.y", seeds=True))
    pd.testing.assert_frame_equal(found, every)
    assert found["rivals"].isna().all()  # the interval holds by itself


def test_the_answer_names_the_recipe_and_not_its_network() -> None:
    results, question = networks(LEVELS), read_question(model="net.x.seed2", against="net.y", seeds=True)
    text = describe(Comparison(question, compare(results, question), results.glossary))
    assert text.startswith("net.x against net.y ")


def test_recipes_without_a_network_of_seed_0() -> None:
    found = compare(
        networks({"net.x": [1, 2], "net.y": [3, 4]}, first=1), read_question(model="net.x.seed1", seeds=True)
    )
    assert (found["model"].tolist(), found["against"].tolist()) == (["net.x"], ["net.y"])


def test_a_recipe_is_not_compared_with_itself() -> None:
    with pytest.raises(XaiboardError, match=r"'net\.x' is the only recipe in the run"):
        compare(networks({"net.x": [1, 2]}), read_question(model="net.x", seeds=True))
    with pytest.raises(XaiboardError, match=r"'net\.x' is to be compared with itself"):
        compare(networks(LEVELS), read_question(model="net.x", against="net.x.seed1", seeds=True))


@pytest.mark.parametrize(
    ("levels", "alone"),
    [
        ({"net.x": [1], "net.y": [2], "net.z": [3]}, "net.x, net.y, net.z"),
        ({"net.x": [1], "net.y": [2, 3]}, "net.x"),
        ({"net.x": [1, 2], "net.y": [3]}, "net.y"),
    ],
)
def test_one_network_of_a_recipe_is_no_question(levels: Mapping[str, Sequence[float]], alone: str) -> None:
    with pytest.raises(XaiboardError) as raised:
        compare(networks(levels), read_question(model="net.x", seeds=True))
    assert str(raised.value) == (
        f"there is one network alone of {alone}, which says nothing about a recipe; leave --seeds out, or run networks"
        " of other seeds too"
    )


def test_recipes_are_counted_as_recipes() -> None:
    results, question = networks(LEVELS), read_question(model="net.x", seeds=True)
    text = describe(Comparison(question, compare(results, question), results.glossary))
    assert text.startswith("net.x against 2 recipes ")
    assert "tells equal recipes apart with a probability of up to 5 %." in text  # one row has a verdict


def test_a_recipe_without_scores_is_said() -> None:
    results = networks(LEVELS)
    cells = results.cells.assign(
        status=np.where(results.cells["model"] == "net.z", "failed", "ok"),
        note=np.where(results.cells["model"] == "net.z", "why", ""),
    )
    scores = results.scores[results.scores["model"] != "net.z"]
    found = row(compare(Results.of(cells, scores), read_question(model="net.x", seeds=True)), against="net.z")
    assert (found["verdict"], found["note"]) == ("", "net.z has no scores here: failed, why")


def test_the_sentences_say_for_whom_it_holds() -> None:
    results = networks(LEVELS)
    texts = []
    for seeds in (False, True):
        question = read_question(model="net.x", against="net.y", seeds=seeds)
        texts.append(describe(Comparison(question, compare(results, question), results.glossary)))
    assert "for these networks, not for others of their recipes (--seeds)" in texts[0]
    assert "for recipes: networks are drawn anew, and images" in texts[1]
    assert "smallest" not in texts[1]
