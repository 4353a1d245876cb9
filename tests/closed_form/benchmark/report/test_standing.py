"""Means and ranks of all rows, computed once, against the statistics asked directly."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made_scores import Key, make_cells, make_scores, noise
from scipy import stats
from xaiboard.benchmark.html_page.names import Names
from xaiboard.benchmark.html_page.pairs import pairs
from xaiboard.benchmark.report import standing as module
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.standing import Standing, differences_of
from xaiboard.benchmark.statistics import signs
from xaiboard.benchmark.statistics.means import Means
from xaiboard.benchmark.statistics.ranks import Ranks, prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums
from xaiboard.benchmark.statistics.verdicts import Verdicts, verdicts

METHODS = ("five", "four", "one", "three", "two")


def drawn(metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Scores and weights of five methods on sixty samples, ``(60, 5)``, some true differences among them."""
    rng = np.random.default_rng(len(metric))
    score = 0.5 + 0.1 * rng.normal(size=(60, 1)) + 0.1 * rng.normal(size=(60, 5)) + np.linspace(0, 0.15, 5)
    weight = rng.uniform(0.5, 1, size=(60, 5))
    weight[[3, 17], 2] = 0
    return score, weight


def results() -> Results:
    """Two models, each in three columns of other sizes of scores; the second model has two methods more."""
    values, weights = {}, {}
    for model in "ab":
        for metric in ("gini", "deletion", "mine"):
            score, weight = drawn(metric)
            for j, method in enumerate(METHODS):
                key: Key = (model, method, metric)
                values[key], weights[key] = score[:, j] * (1 if model == "a" else 0.9), weight[:, j]
    for method in ("six", "seven"):
        values["b", method, "gini"] = 0.5 + 0.1 * noise(len(method), 60)
    values["a", "", "accuracy"] = (np.arange(60) > 20).astype(float)
    values["a", "one", "neutral"] = noise(5, 60)
    return Results.of(make_cells(values), make_scores(values, weight=weights))


def same(one: Ranks | None, other: Ranks | None) -> bool:
    return one is other or all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))  # pyright: ignore[reportArgumentType]


def of(found: list[Standing], model: str, metric: str) -> Standing:
    return next(one for one in found if one.key[1] == model and one.key[3] == metric)


@pytest.mark.parametrize(
    ("metric", "higher", "bounds"),
    [("gini", True, (0, 1)), ("deletion", False, (0, 1)), ("mine", True, None)],
)
def test_ranks_are_those_of_the_statistics(
    metric: str, higher: bool, bounds: tuple[float, float] | None
) -> None:
    score, weight = drawn(metric)
    given = {"bounds": bounds} if bounds else {}
    column = prepare(score, weight, higher_is_better=higher, **given)
    wanted = rank(column, flipped_sums(column.means.influence))
    assert wanted.n == 58
    assert 0 < wanted.better.sum() < 10
    found = of(results().standings, "a", metric)
    assert same(found.ranks, wanted)
    assert found.key == ("d", "a", "", metric, "")
    assert found.used.tolist() == [60, 60, 58, 60, 60]
    assert found.scored.tolist() == [60] * 5
    assert found.samples == 60
    mean = (score * weight).sum(0) / weight.sum(0)
    assert found.mean == pytest.approx(mean)
    influence = weight * (score - mean) / weight.mean(0)
    error = ((influence**2).sum(0) * found.used / (found.used - 1)) ** 0.5 / 60
    reach = stats.t.ppf(0.975, found.used - 1) * error
    assert found.low == pytest.approx(mean - reach)
    assert found.high == pytest.approx(mean + reach)


def test_the_guard_knows_the_declared_range() -> None:
    rare = np.zeros(100)
    rare[[10, 60]] = 1
    pairs = {
        (model, method, metric): score
        for model, metric in (("a", "gini"), ("b", "mine"))
        for method, score in (("often", 0.2 + 0.01 * noise(0, 100)), ("rare", rare))
    }
    bounded, unbounded = Results.of(make_cells(pairs), make_scores(pairs)).standings
    assert bounded.ranks
    assert unbounded.ranks
    assert (bounded.ranks.better.sum(), unbounded.ranks.better.sum()) == (1, 0)
    assert bounded.ranks.rare.tolist() == unbounded.ranks.rare.tolist() == [False, True]


def test_rows_of_models_and_columns_without_a_direction_have_means_alone() -> None:
    found = results().standings
    for metric in ("accuracy", "neutral"):
        one = of(found, "a", metric)
        assert one.ranks is None
        assert np.isfinite([one.mean, one.low, one.high]).all()
    assert sum(one.ranks is not None for one in found) == 6


def test_each_row_stands_once() -> None:
    run = results()
    places = np.concatenate([one.places for one in run.standings])
    assert sorted(places) == list(range(len(run.blocks.rows)))


@pytest.mark.parametrize("held", [0, 700, 10**9])
def test_what_is_held_at_a_time_changes_nothing(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = results()
    wanted = run.standings
    apart = [found.low for _, found in differences_of(run.blocks, wanted, run.glossary)]
    monkeypatch.setattr(signs, "_HELD", held)
    found = results().standings
    assert [one.key for one in found] == [one.key for one in wanted]
    assert all(same(one.ranks, other.ranks) for one, other in zip(found, wanted, strict=True))
    again = [(one, found.low) for one, found in differences_of(run.blocks, wanted, run.glossary)]
    assert [one.key for one, _ in again] == [one.key for one in wanted if one.ranks]
    for low, (_, other) in zip(apart, again, strict=True):
        np.testing.assert_array_equal(low, other)


def test_all_tables_and_the_page_take_ranks_that_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counting(found: Means, needed: np.ndarray, sums: np.ndarray) -> Verdicts:
        calls.append(len(found.mean))
        return verdicts(found, needed, sums)

    monkeypatch.setattr(module, "verdicts", counting)
    run = results()
    for name in ("leaderboard", "wide", "models", "health", "blurred", "correlations", "robustness"):
        getattr(run, name)
    assert len(calls) == 6
    found = pairs(run, Names(run))
    assert len(found["method"]) == 6
    assert set(calls[6:]) <= {1, 2}  # models, of which there are two
