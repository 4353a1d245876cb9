"""Comparisons and the tables of the board never disagree, whatever the scores."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hand_made_scores import FAMILY, make_cells, make_scores
from xaiboard.benchmark.report.comparison.ask import read_question
from xaiboard.benchmark.report.comparison.table import compare
from xaiboard.benchmark.report.results import Results

BOARDS = 24


@cache
def board(seed: int) -> Results:
    """Normal, skewed, tied, rare or constant scores of some methods and models, with weights and missing samples."""
    rng = np.random.default_rng(seed)
    n, methods = int(rng.choice([1, 5, 30, 80])), int(rng.integers(2, 7))
    values: dict[tuple[str, str, str], np.ndarray] = {}
    weight: dict[tuple[str, str, str], np.ndarray] = {}
    for model in "abd":
        for metric in ("gini", "deletion", "deletion.normalised", "mine"):
            kind = rng.integers(5)
            for j in range(methods):
                score = 0.5 * rng.normal(size=n) + 0.5 * j * rng.uniform()
                if kind == 1:
                    score = np.exp(2 * score)
                elif kind == 2:
                    score = np.rint(score)
                elif kind == 3:
                    score = (rng.uniform(size=n) < 0.2 * j).astype(float)
                elif kind == 4 and j:
                    score = values[model, "m0", metric] + (j == 1)
                if rng.uniform() < 0.2:
                    score[rng.integers(n)] = np.nan
                values[model, f"m{j}", metric] = score
                weight[model, f"m{j}", metric] = rng.exponential(size=n) if kind == 1 else np.ones(n)
    correct = {model: (rng.uniform(size=n) < 0.9).tolist() for model in "abd"}
    return Results.of(make_cells(values), make_scores(values, weight=weight, correct=correct))  # pyright: ignore[reportArgumentType]


@cache
def compared(seed: int, kind: str) -> pd.DataFrame:
    """Everything against everything."""
    results = board(seed)
    names = sorted(results.cells[kind].unique())
    return pd.concat([compare(results, read_question(**{kind: name})) for name in names])


@pytest.mark.parametrize("seed", range(BOARDS))
def test_verdicts_are_those_of_the_ranks(seed: int) -> None:
    results, found = board(seed), compared(seed, "method")
    seen = 0
    for one in results.standings:
        assert one.ranks
        names = results.blocks.words["method"][one.places]
        first = results.blocks.facts(one.places[0])
        of_column = found[(found["model"] == first["model"]) & (found["metric"] == first["metric"])]
        better = {(str(names[j]), str(names[k])) for j, k in zip(*np.nonzero(one.ranks.better), strict=True)}
        pairs = of_column[["method", "against", "verdict"]].itertuples(index=False, name=None)
        verdicts = {(method, rival): verdict for method, rival, verdict in pairs}
        assert {pair for pair, verdict in verdicts.items() if verdict == "better"} == better
        assert {pair[::-1] for pair, verdict in verdicts.items() if verdict == "worse"} == better
        seen += len(verdicts)
    assert seen == len(found)


@pytest.mark.parametrize("seed", range(BOARDS))
def test_rank_intervals_count_the_verdicts(seed: int) -> None:
    """The best rank comes after those that are better; the worst before those that are worse."""
    counts = pd.crosstab(
        [compared(seed, "method")[name] for name in ("model", "metric", "method")],
        compared(seed, "method")["verdict"],
    ).reindex(columns=["better", "worse", "not told apart", ""], fill_value=0)
    ranked = board(seed).leaderboard.set_index(["model", "metric", "method"])
    ranked = ranked[ranked["rank"].notna()].join(counts)
    assert (ranked["rank_low"] == 1 + ranked["worse"]).all()
    family = ranked.groupby(["model", "metric"])["rank"].transform("size")
    assert (ranked["rank_high"] == family - ranked["better"]).all()
    assert (ranked["best"] == (ranked["worse"] == 0)).all()


@pytest.mark.parametrize("kind", ["method", "model"])
@pytest.mark.parametrize("seed", range(BOARDS))
def test_an_interval_without_0_is_a_verdict(seed: int, kind: str) -> None:
    found = compared(seed, kind)
    sign = np.where(found["higher_is_better"] == "True", 1, -1)
    low = np.minimum(sign * found["ci_low"], sign * found["ci_high"])
    high = np.maximum(sign * found["ci_low"], sign * found["ci_high"])
    assert (found["verdict"][low > 0] == "better").all()
    assert (found["verdict"][high < 0] == "worse").all()
    explained = found["note"].str.contains("later step")
    told = found["verdict"].isin(["better", "worse"])
    assert (explained[told] == ((low <= 0) & (high >= 0))[told]).all()
    assert not explained[~told].any()


@pytest.mark.parametrize("seed", range(BOARDS))
def test_models_are_judged_as_in_the_table_of_families(seed: int) -> None:
    found = compared(seed, "model").set_index(["method", "metric", "model", "against"]).to_dict("index")
    families = board(seed).families
    for pair in families[~families["models_a"].str.contains("+", regex=False)].to_dict("records"):
        if "+" in pair["models_b"]:
            continue
        row = found[pair["method"], pair["metric"], pair["models_a"], pair["models_b"]]
        better = {FAMILY[pair["models_a"]]: "better", FAMILY[pair["models_b"]]: "worse", "": "not told apart"}
        assert row["n"] == pair["n"]
        if pair["status"] == "ok":
            assert row["verdict"] == better[pair["better"]]
            assert (row["effect"], row["ci_low"], row["ci_high"]) == pytest.approx(
                (pair["difference"], pair["ci_low"], pair["ci_high"])
            )
        else:
            assert row["verdict"] == ""


def test_the_boards_have_verdicts_of_all_kinds() -> None:
    for kind in ("method", "model"):
        every = pd.concat([compared(seed, kind) for seed in range(BOARDS)])
        assert (every["verdict"].value_counts().reindex(["better", "worse", "not told apart", ""]) > 20).all()
        assert (every["n"] == 1).any()
    assert every["note"].str.contains("counts").any()


def test_taken_together_a_verdict_is_never_the_opposite_of_the_board_s() -> None:
    for seed in range(BOARDS):
        for name in ("m0", "m1"):
            each = compare(board(seed), read_question(method=name))["verdict"]
            together = compare(board(seed), read_question(method=name, correct="columns"))["verdict"]
            sure = together.isin(["better", "worse"])
            assert (together[sure] == each[sure]).all()


def test_only_one_model_is_as_all_models() -> None:
    """A column's verdicts depend on nothing but its own scores."""
    whole = compare(board(3), read_question(method="m0")).query("model == 'b'").reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, compare(board(3), read_question(method="m0", model="b")))


def test_scores_in_another_order_have_the_same_answer() -> None:
    results = board(4)
    shuffled = results.scores.sample(frac=1, random_state=0).reset_index(drop=True)
    other = Results.of(results.cells, shuffled)
    for question in (read_question(method="m1"), read_question(model="b")):
        pd.testing.assert_frame_equal(compare(results, question), compare(other, question))


def test_a_copy_changes_no_verdict() -> None:
    results = board(6)
    copy = results.scores[results.scores["method"] == "m1"].assign(method="copy")
    cells = results.cells[results.cells["method"] == "m1"].assign(method="copy")
    more = Results.of(pd.concat([results.cells, cells]), pd.concat([results.scores, copy]))
    whole = compare(results, read_question(method="m0"))
    with_copy = compare(more, read_question(method="m0")).query("against != 'copy'").reset_index(drop=True)
    named = ["note", "rivals"]
    pd.testing.assert_frame_equal(whole.drop(columns=named), with_copy.drop(columns=named))
    assert set(compare(more, read_question(method="m1", against="copy"))["verdict"]) <= {"not told apart", ""}
