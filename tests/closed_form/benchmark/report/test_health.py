"""Metric health from hand-made scores with known answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import rankdata
from xaiboard.benchmark.html_page.curves import agreement
from xaiboard.benchmark.html_page.names import Names
from xaiboard.benchmark.report.health.by_metric import by_metric
from xaiboard.benchmark.report.health.correlations import CORRELATIONS, draw_correlations
from xaiboard.benchmark.report.health.table import BLURRED_COPIES, HEALTH
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.sections.metric_agreement import draw
from xaiboard.benchmark.report.sections.metric_health import metric_health
from xaiboard.benchmark.report.write import write
from xaiboard.benchmark.store import tables

DIRECTION = {"up": "True", "down": "False", "up.part": "True", "none": ""}
CONTROLS = {"random", "sobel", "blurred"}
N = 60

Scores = Mapping[str, np.ndarray]
"""Scores of the samples by name of the method, ``(N,)`` each."""


def make_scores(
    values: Scores,
    metric: str = "up",
    *,
    model: str = "net",
    weight: Scores | None = None,
    settings: str = "",
) -> pd.DataFrame:
    """Long scores of one model and metric column."""
    parts = [
        pd.DataFrame(
            {
                "dataset": "d", "sample": range(len(score)), "model": model, "family": "ot", "method": method,
                "metric": metric, "settings": settings, "perturbation": "", "score": score,
                "weight": (weight or {}).get(method, np.ones(len(score))), "target": 0, "label": 0, "correct": True,
                "seed": 0, "metric_version": 1, "metric_family": "own", "higher_is_better": DIRECTION[metric],
                "across_models": True,
            }
        )
        for method, score in values.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[tables.SCORES]


def make_cells(scores: pd.DataFrame, failed: tuple[str, ...] = ()) -> pd.DataFrame:
    """The cells of those scores, and cells of ``failed`` methods beside each."""
    names = scores[["dataset", "model", "method", "metric", "settings", "perturbation"]]
    names = names.assign(metric=names["metric"].str.partition(".")[0], status="ok").drop_duplicates()
    also = [
        names.drop_duplicates(["model", "metric", "settings"]).assign(method=m, status="failed")
        for m in failed
    ]
    cells = pd.concat([names, *also], ignore_index=True)
    base = cells["method"].str.partition("[")[0]
    of = cells["method"].str.extract(r"of=(\w+)")[0].fillna("good")
    return cells.assign(
        control=base.isin(CONTROLS),
        method_settings=np.where(base == "blurred", "of=" + of + ",sigma=2", ""),
        seconds=1.0,
    ).reindex(columns=tables.CELLS, fill_value="")


def noise(seed: int = 0, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def around(level: float, seed: int = 0, spread: float = 0.1) -> np.ndarray:
    return level + spread * noise(seed)


def health_of(values: Scores, metric: str = "up", weight: Scores | None = None) -> pd.Series:
    scores = make_scores(values, metric, weight=weight)
    table = Results.of(make_cells(scores), scores).health
    assert len(table) == 1
    return table.iloc[0]


def copies_of(values: Scores, metric: str = "up") -> pd.DataFrame:
    scores = make_scores(values, metric)
    return Results.of(make_cells(scores), scores).blurred


ORDERED = {"good": around(3, 1), "fair": around(2, 2), "poor": around(1, 3)}


@pytest.mark.parametrize("metric", ["up", "down"])
def test_random_is_last_where_every_method_beats_it(metric: str) -> None:
    level = 0.0 if metric == "up" else 9.0
    found = health_of({**ORDERED, "random": around(level, 4), "sobel": around(-level, 5)}, metric)
    assert found["methods"] == 3  # an edge filter is no method: random need not be behind it
    assert (found["random_rank"], found["random_last"], found["beat_random"], found["random_beats"]) == (
        4,
        "True",
        3,
        0,
    )


def test_random_in_the_middle_beats_a_method() -> None:
    found = health_of({**ORDERED, "random": around(1.5, 4)})
    assert (found["random_rank"], found["random_last"], found["beat_random"], found["random_beats"]) == (
        3,
        "False",
        2,
        1,
    )
    found = health_of({**ORDERED, "random": around(1.5, 4)}, "down")
    assert (found["random_rank"], found["random_last"], found["beat_random"], found["random_beats"]) == (
        2,
        "False",
        1,
        2,
    )


def test_random_ahead_by_chance_is_not_last_and_beats_nobody() -> None:
    found = health_of({"good": around(3), "poor": noise(1), "random": noise(1) + 0.001 * noise(2) + 1e-5})
    assert (found["random_last"], found["beat_random"], found["random_beats"]) == ("False", 1, 0)


def test_random_that_ties_with_a_method_is_not_last() -> None:
    same = np.full(N, 0.1, np.float32)
    found = health_of({"good": around(3), "poor": same, "random": same})
    assert (found["random_rank"], found["random_last"], found["random_beats"]) == (2, "False", 0)


def test_without_random_its_columns_are_empty() -> None:
    found = health_of(ORDERED)
    assert found[["random_rank", "random_last", "beat_random", "random_beats"]].isna().all()
    assert found["split_half"] == 1


@pytest.mark.parametrize(("metric", "better"), [("up", "blurred"), ("down", "good")])
def test_a_blurred_copy_against_its_map(metric: str, better: str) -> None:
    shared = noise(7)
    values = {"good": 1 + shared, "blurred": 1.2 + shared + 0.1 * noise(8), "random": noise(9)}
    found = copies_of(values, metric)
    assert list(found.columns) == BLURRED_COPIES
    row = found.iloc[0]
    assert (row["method"], row["blurred"], row["better"], row["n"]) == ("good", "blurred", better, N)
    assert row["difference"] == pytest.approx((values["blurred"] - values["good"]).mean(), rel=1e-5)
    assert row["mean_blurred"] - row["mean"] == pytest.approx(row["difference"])
    assert 0.15 < row["ci_low"] < row["difference"] < row["ci_high"] < 0.25  # unpaired it would be .2 ± .4
    assert health_of(values, metric)["blurred_better"] == (better == "blurred")


def test_each_copy_meets_its_own_map_and_what_is_missing_is_left_out() -> None:
    values = {
        **ORDERED, "blurred[of=fair]": ORDERED["fair"] + 5, "blurred[of=poor]": ORDERED["poor"],
        "blurred[of=absent]": around(1, 4),
    }  # fmt: skip
    found = copies_of(values).set_index("method")
    assert found["better"].to_dict() == {"fair": "blurred[of=fair]", "poor": ""}
    for name in ("difference", "ci_low", "ci_high"):
        assert found[name]["poor"] == 0
    row = health_of(values)
    assert (row["blurred_pairs"], row["blurred_better"]) == (2, 1)


def test_rounding_decides_nothing() -> None:
    same = around(1)
    values = {"good": same, "blurred": same * (1 + 1e-15), "random": same * (1 + 1e-15)}
    assert (values["blurred"] > same).all()
    assert copies_of(values)["better"].tolist() == [""]
    found = health_of(values)
    assert (found["random_last"], found["random_beats"]) == ("False", 0)


def test_two_samples_decide_nothing() -> None:
    values = {"good": np.array([1.0, 1.1]), "blurred": np.array([2.0, 2.1]), "random": np.array([0.0, 0.1])}
    assert copies_of(values)["better"].tolist() == [""]
    assert health_of(values)["beat_random"] == 0


def test_reliable_scores_have_reliability_one() -> None:
    found = health_of(ORDERED)
    assert (found["split_half"], found["alpha"], found["splits"], found["n"]) == (1, pytest.approx(1), 200, N)
    assert found["column"] == "up"


def test_controls_take_no_part_in_reliability() -> None:
    values = {name: noise(seed) for seed, name in enumerate("abcdef")}
    alone = health_of(values)
    beside = health_of(
        {**values, "random": noise(9) - 90, "sobel": noise(10) - 50, "blurred": noise(11) - 70}
    )
    pd.testing.assert_series_equal(alone[["split_half", "alpha", "n"]], beside[["split_half", "alpha", "n"]])


def test_weighted_columns_use_the_weighted_means() -> None:
    """One sample has all the weight of the third method, and it says that the method is the best."""
    values = {"good": around(3), "poor": around(1), "odd": np.r_[9.0, np.zeros(N - 1)], "random": around(2)}
    weight = {"odd": np.r_[1.0, np.zeros(N - 1)]}
    found = health_of(values, weight=weight)
    assert (found["random_rank"], found["n"], found["samples"]) == (3, 1, N)
    assert health_of(values)["random_rank"] == 2
    assert found["splits"] == 0  # one of the halves is always without that sample
    assert np.isnan(found["split_half"])


@pytest.mark.parametrize(
    "values",
    [
        {"good": noise()},
        {"good": noise(), "random": noise(1)},
        {"random": noise(1)},
        {"good": np.ones(N), "poor": np.ones(N)},
        {
            "good": np.full(N, 0.1),
            "poor": np.full(N, 0.1),
            "fair": np.full(N, 0.1),
            "random": np.full(N, 0.1),
        },
        {"good": np.array([1.0]), "poor": np.array([2.0]), "random": np.array([3.0])},
    ],
)
def test_where_there_is_no_order_its_reliability_is_empty(values: Scores) -> None:
    found = health_of(values)
    assert found[["split_half", "alpha"]].isna().all()
    assert found["splits"] == 0
    assert found["random_rank"] is pd.NA or found["beat_random"] == found["random_beats"] == 0


def test_scores_that_are_not_numbers_are_left_out_and_counted() -> None:
    """Were it taken for 0, one sample would make the best method the worst of its half."""
    broken = around(1001)
    broken[3] = np.nan
    values = {"good": around(1000, 1), "broken": broken, "poor": around(999, 2), "random": around(0)}
    found = health_of(values)
    assert (found["methods"], found["absent"], found["samples"], found["n"]) == (3, 0, N, N - 1)
    assert (found["random_rank"], found["beat_random"], found["split_half"], found["alpha"]) == (4, 3, 1, 1)
    nothing = make_scores({**ORDERED, "broken": np.full(N, np.nan)})
    row = Results.of(make_cells(nothing), nothing).health.iloc[0]
    assert (row["methods"], row["absent"]) == (3, 1)
    alone = make_scores({"broken": np.full(N, np.nan)})
    assert not len(Results.of(make_cells(alone), alone).health)


def test_methods_without_a_rank_beat_nobody() -> None:
    """A method that lacks more than 5 % of the samples has a mean, and a place in the order, but no verdict."""
    weight = {"good": (np.arange(N) > 3).astype(float)}
    found = health_of({**ORDERED, "random": around(0)}, weight=weight)
    assert (found["methods"], found["random_rank"], found["beat_random"], found["random_beats"]) == (
        3,
        4,
        2,
        0,
    )
    copies = {"good": around(1), "blurred": around(1) + 5}
    scores = make_scores(copies, weight={"blurred": weight["good"]})
    row = Results.of(make_cells(scores), scores).blurred.iloc[0]
    assert (row["better"], row["n"]) == ("", N - 4)
    assert row["ci_low"] > 4


def test_the_interval_of_a_blurred_copy_is_students() -> None:
    values = {"good": around(1, 1), "blurred": around(1.1, 2)}
    row = copies_of(values).iloc[0]
    apart = values["blurred"] - values["good"]
    reach = stats.t.ppf(0.975, N - 1) * apart.std(ddof=1) / N**0.5
    assert row[["ci_low", "ci_high"]].tolist() == pytest.approx([apart.mean() - reach, apart.mean() + reach])


def test_cells_that_failed_are_counted_and_columns_without_direction_have_no_health() -> None:
    scores = pd.concat([make_scores(ORDERED), make_scores(ORDERED, "up.part"), make_scores(ORDERED, "none")])
    table = Results.of(make_cells(scores, failed=("one", "other", "sobel")), scores).health
    assert list(table.columns) == HEALTH
    assert table["metric"].tolist() == ["up", "up.part"]
    assert table["absent"].tolist() == [2, 2]


def test_health_does_not_depend_on_the_order_of_the_scores() -> None:
    values = {
        **{name: noise(seed) for seed, name in enumerate("abcd")},
        "good": noise(8),
        "blurred": noise(9),
    }
    scores = pd.concat([make_scores(values, model=model) for model in ("one", "two")])
    cells = make_cells(scores)
    shuffled, wanted = Results.of(cells, scores.sample(frac=1, random_state=0)), Results.of(cells, scores)
    pd.testing.assert_frame_equal(shuffled.health, wanted.health)
    pd.testing.assert_frame_equal(shuffled.blurred, wanted.blurred)


def correlations_of(*scores: pd.DataFrame) -> pd.DataFrame:
    together = pd.concat(scores, ignore_index=True)
    return Results.of(make_cells(together), together).correlations


def levels(*means: float, **more: float) -> dict[str, np.ndarray]:
    """Methods a, b, c... with such means, and others."""
    return {
        name: around(mean) for name, mean in {**dict(zip("abcdefgh", means, strict=False)), **more}.items()
    }


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [("up", "up.part", 1), ("up", "down", -1), ("up", "none", None)],
)
def test_metrics_agree_where_they_call_the_same_methods_better(
    first: str, second: str, wanted: float | None
) -> None:
    found = correlations_of(
        make_scores(levels(1, 2, 4, 3), first), make_scores(levels(10, 20, 80, 30), second)
    )
    assert list(found.columns) == CORRELATIONS
    assert found["correlation"].tolist() == ([] if wanted is None else [pytest.approx(wanted)])


def test_correlations_are_means_over_models_without_controls() -> None:
    controls = {"random": -99, "sobel": 99}, {"random": 99, "sobel": -99}
    one = [
        make_scores(levels(1, 2, 3, 4, **more), metric)
        for metric, more in zip(("up", "up.part"), controls, strict=True)
    ]
    two = (
        make_scores(levels(1, 2, 3, 4), "up", model="two"),
        make_scores(levels(1, 3, 2), "up.part", model="two"),
    )
    row = correlations_of(*one, *two).iloc[0]
    assert (row["column_a"], row["column_b"]) == ("up", "up.part")
    assert (row["lowest"], row["highest"]) == (pytest.approx(0.5), pytest.approx(1))
    assert (row["correlation"], row["models"], row["methods"]) == (pytest.approx(0.75), 2, 3)


def test_columns_under_different_perturbations_are_no_pair() -> None:
    still = make_scores(levels(1, 2, 3, 4))
    shaken = [
        make_scores(levels(1, 2, 4, 3), metric).assign(perturbation=perturbation)
        for metric, perturbation in (("up.part", "a[]"), ("down", "a[]"), ("down", "b[]"))
    ]
    found = correlations_of(still, *shaken)
    pairs = set(zip(found["column_a"], found["column_b"], strict=True))
    assert len(pairs) == 4  # each of three with the one without, and two under one perturbation
    assert not any("a[]" in one + other and "b[]" in one + other for one, other in pairs)


def test_methods_that_one_column_lacks_are_ranked_out_of_both() -> None:
    a, b = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0]), np.array([2.0, 7.0, 1.0, 8.0, 2.0, 8.0])
    constant = {name: np.full(N, value) for name, value in zip("abcdef", a, strict=True)}
    other = {name: np.full(N, value) for name, value in zip("abcdef", b, strict=True) if name != "c"}
    row = correlations_of(make_scores(constant), make_scores(other, "down")).iloc[0]
    kept = np.array([0, 1, 3, 4, 5])
    assert row["correlation"] == pytest.approx(-np.corrcoef(rankdata(a[kept]), rankdata(b[kept]))[0, 1])
    assert row["methods"] == 5


def test_of_many_columns_those_of_other_settings_are_taken_together(tmp_path: Path) -> None:
    names = [f"{metric}[k={k}]" for metric in ("up", "down") for k in range(46)]
    health = pd.DataFrame({
        "dataset": "d", "model": "net", "metric_family": "own", "column": names, "split_half": 0.5,
        "metric": [name.partition("[")[0] for name in names],
    })  # fmt: skip
    pairs = [("up[k=0]", "down[k=0]", 0.5), ("down[k=1]", "up[k=0]", 0.1), ("up[k=0]", "up[k=1]", 0.9)]
    pairs.append(("up[k=2]", "down[k=0]", np.nan))
    table = pd.DataFrame(pairs, columns=["column_a", "column_b", "correlation"]).assign(dataset="d")
    table = table.assign(lowest=table["correlation"] - 0.1, highest=table["correlation"] + 0.1)
    together, of = by_metric(table, health)
    assert set(of["column"]) == {"up (46 columns)", "down (46 columns)"}
    (row,) = together.to_dict("records")
    assert {row["column_a"], row["column_b"]} == set(of["column"])
    assert row["correlation"] == pytest.approx(0.3)  # of the two that are known
    results = Results.of(pd.DataFrame(), pd.DataFrame())
    vars(results).update(correlations=table, _health=(health, pd.DataFrame()))
    assert draw(results, "d", tmp_path / "agreement.png")
    of_page = agreement(results, cast(Names, SimpleNamespace(dataset_at={"d": 0})))
    assert of_page == [[0, "down (46 columns)", "up (46 columns)", 0.3, 0.0, 0.6]]
    vars(results).update(_health=(health[:2], pd.DataFrame()))  # few enough to be shown one by one
    of_page = agreement(results, cast(Names, SimpleNamespace(dataset_at={"d": 0})))
    assert [row[1:4] for row in of_page] == [
        list(pair) for pair in pairs[:3]
    ]  # without the one that is not known


def test_two_methods_and_constant_columns_have_no_correlation() -> None:
    two = correlations_of(make_scores(levels(1, 2)), make_scores(levels(1, 2), "down"))
    constant = correlations_of(
        make_scores(levels(1, 2, 3)), make_scores(dict.fromkeys("abc", np.full(N, 0.1)), "down")
    )
    for found in (two, constant):
        assert found["models"].tolist() == [0]
        assert found[["correlation", "lowest", "highest", "methods"]].isna().all(axis=None)


def test_the_figure_is_the_same_bytes_each_time_and_not_drawn_without_numbers(tmp_path: Path) -> None:
    scores = pd.concat([make_scores(levels(1, 2, 3, 4), metric) for metric in ("up", "down", "up.part")])
    health = Results.of(make_cells(scores), scores).health
    found = correlations_of(scores)
    for name in ("one.png", "other.png"):
        draw_correlations(found, health, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    draw_correlations(found.assign(correlation=np.nan), health, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_the_page_counts_warnings_and_names_models() -> None:
    last, first = levels(1, 2, 3, random=0), levels(1, 2, 3, random=9, good=1, blurred=8)
    scores = pd.concat(
        [
            make_scores(last, model="sound"),
            make_scores(first, model="odd"),
            make_scores(last, "down", model="odd"),
        ]
    )
    table = metric_health(Results.of(make_cells(scores), scores), "d").set_index("column")
    assert table["random not last"].to_dict() == {"down": "1 of 1", "up": "1 of 2"}
    assert table["random beats a method"].to_dict() == {"down": "1 of 1", "up": "1 of 2: odd 1"}
    assert table["blurred copy beats its map"].to_dict() == {"down": "", "up": "1 of 1"}
    assert re.fullmatch(r"\d\.\d\d to 1\.00", table["split-half"]["up"])


def test_a_run_writes_its_health_and_without_methods_empty_tables(tmp_path: Path) -> None:
    scores = pd.concat([make_scores(levels(1, 2, 3, random=0), metric) for metric in ("up", "down")])
    write(tmp_path / "run", Results.of(make_cells(scores), scores))
    written = pd.read_csv(tmp_path / "run" / "health.csv")
    assert list(written.columns) == HEALTH
    assert written["random_last"].tolist() == [False, True]
    assert (tmp_path / "run" / "metric-correlations-d.png").is_file()
    assert "### Metric health" in (tmp_path / "run" / "leaderboard.md").read_text("utf-8")
    none = make_scores({"": noise()}, "up")
    write(tmp_path / "none", Results.of(make_cells(none), none))
    for name, columns in (
        ("health.csv", HEALTH), ("blurred.csv", BLURRED_COPIES), ("metric_correlations.csv", CORRELATIONS)
    ):  # fmt: skip
        assert (tmp_path / "none" / name).read_text() == ",".join(columns) + "\n"
    assert "Metric health" not in (tmp_path / "none" / "leaderboard.md").read_text("utf-8")
