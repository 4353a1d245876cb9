"""Attributional robustness from hand-made scores with known rows, and from a tiny run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xaiboard.benchmark as xb
from scipy import stats
from xaiboard.benchmark.pictures import perturbed_maps
from xaiboard.benchmark.report.attribution_robustness.against_eps import draw_against_eps
from xaiboard.benchmark.report.attribution_robustness.against_window import draw_against_window
from xaiboard.benchmark.report.attribution_robustness.convergence import doubled
from xaiboard.benchmark.report.attribution_robustness.overlaps import draw_overlaps
from xaiboard.benchmark.report.attribution_robustness.settings import headline, name_kinds, usual_eps
from xaiboard.benchmark.report.attribution_robustness.table import ROBUSTNESS
from xaiboard.benchmark.report.page import make_page
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.sections.attributional_robustness import attributional_robustness
from xaiboard.benchmark.report.write import write
from xaiboard.benchmark.store import tables
from xaiboard.benchmark.toolkit.labels import Label, read_label

ATTACK, TWICE = "attack[eps=0.1,steps=5,restarts=1]", "attack[eps=0.1,steps=10,restarts=2]"
NOISE = "noise[eps=0.1]"
LENS = "k=100,window=1,reference=clean"
DIRECTION = {"above_chance": "True", "": "True", "distance": "False"}

Values = Sequence[float] | np.ndarray


def column(
    metric: str, values: Values, held: Values | None = None, *, model: str = "one", perturbation: str = NOISE,
    settings: str = LENS, correct: Sequence[bool] | None = None, direction: str | None = None, method: str = "m",
) -> pd.DataFrame:  # fmt: skip
    """Scores of one row of a leaderboard; a size has no direction, and neither has chance."""
    name = metric.partition(".")[2]
    usual = "" if metric.startswith("perturbation_size") else DIRECTION.get(name, "")
    return pd.DataFrame(
        {
            "dataset": "d", "sample": range(len(values)), "model": model, "family": f"f{model}", "method": method,
            "metric": metric, "settings": settings, "perturbation": perturbation, "score": values,
            "weight": np.ones(len(values)) if held is None else held, "target": 0, "label": 0,
            "correct": [True] * len(values) if correct is None else correct, "seed": 0, "metric_version": 1,
            "metric_family": "own", "higher_is_better": usual if direction is None else direction,
            "across_models": True,
        }
    )[tables.SCORES]  # fmt: skip


def make_cells(scores: pd.DataFrame) -> pd.DataFrame:
    names = scores[["dataset", "model", "family", "method", "metric", "settings", "perturbation"]]
    names = names.assign(metric=names["metric"].str.partition(".")[0]).drop_duplicates()
    return names.assign(status="ok", control=False, seconds=1.0).reindex(columns=tables.CELLS, fill_value="")


def results_of(*columns: pd.DataFrame, controls: Sequence[str] = ()) -> Results:
    scores = pd.concat(columns, ignore_index=True)
    cells = make_cells(scores)
    return Results.of(cells.assign(control=cells["method"].isin(list(controls))), scores)


def robustness_of(*columns: pd.DataFrame) -> pd.DataFrame:
    return results_of(*columns).robustness


def two_models() -> list[pd.DataFrame]:
    """Sample 0 is lost by model one, sample 1 by model two, and sample 2 is classified wrongly by model two."""
    parts = []
    for model, score, held, right in (
        ("one", [0.0, 0.2, 0.4, 0.6, 0.8], [0, 1, 1, 1, 1], [True] * 5),
        ("two", [0.1, 0.3, 0.5, 0.7, 0.8], [1, 0, 1, 1, 1], [True, True, False, True, True]),
    ):
        chance = np.full(5, 0.2)
        parts += [
            column("lens_recall", score, held, model=model, correct=right),
            column("lens_recall.chance", chance, held, model=model, correct=right),
            column("lens_recall.above_chance", (score - chance) / 0.8, held, model=model, correct=right),
            column("lens_recall.ties", 0 * chance, held, model=model, correct=right, direction=""),
        ]
    return parts


def test_a_row_has_its_chance_level_and_the_samples_that_all_models_keep() -> None:
    found = robustness_of(*two_models())
    assert list(found.columns) == ROBUSTNESS
    assert found["model"].tolist() == ["one", "two"]
    assert found["metric"].tolist() == ["lens_recall", "lens_recall"]
    assert found["column"].tolist() == ["", ""]
    one, two = found.iloc[0], found.iloc[1]
    assert (one["n"], one["held"], one["family"]) == (4, 0.8, "fone")
    assert one["mean"] == pytest.approx(0.5)
    assert two["mean"] == pytest.approx((0.1 + 0.5 + 0.7 + 0.8) / 4)
    for row, common in ((one, 0.7), (two, 0.75)):  # samples 3 and 4 alone are correct and held for both
        assert row["chance"] == row["common_chance"] == pytest.approx(0.2)
        assert row["above_chance"] == pytest.approx((row["mean"] - 0.2) / 0.8)
        assert row["above_low"] < row["above_chance"] < row["above_high"]
        assert row["common_n"] == 2
        assert row["common_mean"] == pytest.approx(common)
        assert row["common_above"] == pytest.approx((common - 0.2) / 0.8)
    # of two numbers the standard error is half of what they are apart
    reach = stats.t.ppf(0.975, 1) * np.array([0.2, 0.125]) / 2
    assert one[["common_low", "common_high"]].tolist() == pytest.approx([0.7 - reach[0], 0.7 + reach[0]])
    above = (0.75 - 0.2) / 0.8
    assert two[["common_above_low", "common_above_high"]].tolist() == pytest.approx(
        [above - reach[1], above + reach[1]]
    )
    assert found[["l2", "linf", "output_change"]].isna().all(axis=None)
    assert found["converged"].tolist() == ["", ""]


def test_means_and_intervals_are_the_leaderboards() -> None:
    scores = pd.concat(two_models(), ignore_index=True)
    results = Results.of(make_cells(scores), scores)
    board = results.leaderboard.set_index(["model", "metric"])
    for _, row in results.robustness.iterrows():
        of_board = board.loc[(row["model"], "lens_recall")]
        assert tuple(row[["mean", "ci_low", "ci_high"]]) == tuple(of_board[["mean", "ci_low", "ci_high"]])


def test_sizes_are_those_of_the_samples_that_held() -> None:
    sizes = [
        column("perturbation_size", [9.0, 1, 2, 0], settings=""),
        column("perturbation_size.linf", [8.0, 0.1, 0.3, 0], settings=""),
        column("perturbation_size.held", [0.0, 1, 1, 1], settings=""),
        column("perturbation_size.output_change", [1.0, 0.2, 0.4, 0], settings=""),
    ]
    found = robustness_of(column("lens_recall", [0.0, 1, 1, 1], [0, 1, 1, 1]), *sizes)
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["held"], row["l2"]) == (0.75, 1)
    assert (row["linf"], row["output_change"]) == (pytest.approx(0.4 / 3), pytest.approx(0.2))
    assert row["moved"] == pytest.approx(2 / 3)


def test_sizes_alone_have_no_row() -> None:
    found = robustness_of(
        column("perturbation_size", [9.0, 1], settings="", direction=""),
        column("perturbation_size.held", [0.0, 1], settings="", direction=""),
    )
    assert list(found.columns) == ROBUSTNESS
    assert not len(found)


def test_without_sizes_a_sample_held_if_any_score_counts_it() -> None:
    """A score whose own weights leave out more does not make predictions change."""
    found = robustness_of(
        column("lens_recall", [0.2, 0.4, 0.6], [0, 1, 1]),
        column("weighted", [0.2, 0.4, 0.6], [0, 0, 1], settings="", direction="True"),
    ).set_index("metric")
    assert found["held"].tolist() == [pytest.approx(2 / 3)] * 2
    assert found["n"].to_dict() == found["common_n"].to_dict() == {"lens_recall": 2, "weighted": 1}


def test_where_no_prediction_holds_numbers_are_empty() -> None:
    alive, lost = (
        [
            column(f"lens_recall{name}", [0.3, 0.4], held, model=model)
            for name in ("", ".chance", ".above_chance")
        ]
        for model, held in (("one", [1, 1]), ("two", [0, 0]))
    )
    results = results_of(*alive, *lost)
    rows = headline(results.robustness_settings)
    assert rows["model"].tolist() == ["one", "two"], "a lost model stays in the page"
    short = attributional_robustness(results, "d")
    assert short[["held", "samples"]].to_numpy().tolist() == [["100%", "0"], ["0%", "0"]]
    row = results.robustness.iloc[1]
    assert (row["n"], row["held"], row["common_n"]) == (0, 0, 0)
    assert row[["mean", "ci_low", "common_mean", "common_low"]].isna().all()


def test_perturbations_are_apart_and_unperturbed_scores_have_no_row() -> None:
    """What is lost under one perturbation counts under the other."""
    found = robustness_of(
        column("lens_recall", [0.2, 0.4], [0, 1]),
        column("lens_recall", [0.6, 0.8], [1, 1], perturbation=ATTACK),
        column("gini", [0.1, 0.1], perturbation="", settings="", direction="True"),
    )
    assert found.set_index("perturbation")["common_n"].to_dict() == {ATTACK: 2, NOISE: 1}
    assert not len(robustness_of(column("gini", [0.1, 0.1], perturbation="", settings="", direction="True")))


def test_named_columns_with_a_direction_have_rows_of_their_own() -> None:
    found = robustness_of(
        column("lens_curve", [0.5, 0.7]), column("lens_curve.chance", [0.1, 0.3]),
        column("lens_curve.distance", [4.0, 2.0]),
    ).set_index("column")  # fmt: skip
    assert found["mean"].to_dict() == {"": pytest.approx(0.6), "distance": 3}
    assert found.loc["", "chance"] == pytest.approx(0.2)
    assert np.isnan(found.loc["distance", "chance"])  # pyright: ignore[reportArgumentType, reportCallIssue]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (ATTACK, TWICE),
        ("walk[steps=7,step=0.1]", "walk[steps=14,step=0.1]"),
        ("walk[step=0.1,steps=7]", "walk[step=0.1,steps=14]"),
        (NOISE, ""),
        ("noise[step=2]", ""),
        ("noise[]", ""),
    ],
)
def test_twice_the_steps_and_restarts(text: str, wanted: str) -> None:
    twice = doubled(read_label(text))
    assert (str(twice) if twice else "") == wanted


@pytest.mark.parametrize(
    ("metric", "after", "wanted"),
    [
        ("lens_recall", [0.5, 0.45], "attack not converged"),
        ("lens_recall", [0.5, 0.49], "yes"),
        ("lens_recall", [0.9, 0.9], "yes"),
        ("lens_curve.distance", [0.52, 0.51], "attack not converged"),
        ("lens_curve.distance", [0.505, 0.505], "yes"),
        ("lens_curve.distance", [0.1, 0.1], "yes"),
    ],
)
def test_an_attack_has_converged_when_twice_the_effort_gains_little(
    metric: str, after: Values, wanted: str
) -> None:
    """Samples 0 and 1 are compared; sample 2 is lost before and sample 3 after, whatever they say."""
    scores = pd.concat(
        [
            column(metric, [0.5, 0.5, 1.0, 1.0], [1, 1, 0, 1], perturbation=ATTACK),
            column(metric, [*after, 0.0, 0.0], [1, 1, 1, 0], perturbation=TWICE),
            column(metric, [0.5, 0.5, 0.5, 0.5], perturbation=NOISE),
        ],
        ignore_index=True,
    )
    results = Results.of(make_cells(scores), scores)
    board, found = results.leaderboard, results.robustness.set_index("perturbation")["converged"]
    assert found.to_dict() == {ATTACK: wanted, TWICE: "not checked", NOISE: ""}
    notes = board.set_index("perturbation")["note"].fillna("")
    parts = notes[ATTACK].split("; ")
    assert ("attack not converged" in parts) == (wanted != "yes")
    assert parts[0].startswith("1 of 4 samples left out")
    assert "converged" not in notes[TWICE] + notes[NOISE]


def test_a_score_above_chance_that_falls_counts_too() -> None:
    """Raw 0.99 to 0.98 is little; of what is above a chance of 0.9 it is a tenth."""
    parts = []
    for perturbation, score in ((ATTACK, 0.99), (TWICE, 0.98)):
        parts += [
            column("lens_recall", [score] * 3, perturbation=perturbation),
            column("lens_recall.above_chance", [(score - 0.9) / 0.1] * 3, perturbation=perturbation),
        ]
    found = robustness_of(*parts).set_index("perturbation")["converged"]
    assert found[ATTACK] == "attack not converged"


def test_companions_of_other_models_methods_and_settings_check_nothing() -> None:
    wrong = [
        column("lens_recall", [0.0] * 3, perturbation=TWICE, model="two"),
        column("lens_recall", [0.0] * 3, perturbation=TWICE, method="n"),
        column("lens_recall", [0.0] * 3, perturbation=TWICE, settings="k=100,window=2,reference=clean"),
        column("lens_recall", [0.0] * 3, perturbation="attack[eps=0.2,steps=10,restarts=2]"),
        column("lens_recall", [0.0] * 3, perturbation="attack[eps=0.1,steps=10,restarts=1]"),
    ]
    found = robustness_of(column("lens_recall", [0.9] * 3, perturbation=ATTACK), *wrong)
    assert set(found["converged"]) == {"not checked"}


def test_rows_do_not_depend_on_the_order_of_the_scores() -> None:
    scores = pd.concat(two_models(), ignore_index=True)
    cells = make_cells(scores)
    shuffled = Results.of(cells, scores.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(shuffled.robustness, Results.of(cells, scores).robustness)


def labels(texts: Sequence[str]) -> dict[str, Label]:
    return {text: read_label(text) for text in texts}


def test_kinds_show_what_tells_them_apart() -> None:
    transfer = "attack[eps=0.1,steps=5,restarts=1,other=cnn]"
    own = "attack[eps=0.1,steps=5,restarts=1,other=]"
    texts = [ATTACK, "attack[eps=0.2,steps=5,restarts=1]", TWICE, NOISE]
    kinds = name_kinds(labels(texts))
    assert kinds[texts[0]] == kinds[texts[1]] == "attack[steps=5,restarts=1]"
    assert (kinds[TWICE], kinds[NOISE]) == ("attack[steps=10,restarts=2]", "noise")
    assert set(name_kinds(labels(texts), but=("eps", "steps", "restarts")).values()) == {"attack", "noise"}
    assert name_kinds(labels([transfer, own])) == {transfer: "attack[other=cnn]", own: "attack"}


def ladder(models: Sequence[str] = ("one", "two")) -> pd.DataFrame:
    """Two models under noise and attacks of three radii, with windows 1 and 2, and top-k intersection."""
    parts = []
    for model in models:
        for place, name in enumerate([
            "noise[eps=0.05]", NOISE, "noise[eps=0.2]", "attack[eps=0.05,steps=5,restarts=1]", ATTACK, TWICE,
            "rotation[degrees=5]",
        ]):  # fmt: skip
            for metric, settings, chance in (
                ("topk_intersection", "k=100", 0.1),
                ("lens_recall", LENS, 0.3),
                ("lens_recall", "k=100,window=2,reference=clean", 0.5),
            ):
                score = np.linspace(0.9, 1, 4) - 0.05 * place
                given: dict[str, Any] = {"model": model, "perturbation": name, "settings": settings}
                parts += [
                    column(metric, score, [0, 1, 1, 1], **given),
                    column(f"{metric}.chance", np.full(4, chance), [0, 1, 1, 1], **given),
                    column(f"{metric}.above_chance", (score - chance) / (1 - chance), [0, 1, 1, 1], **given),
                ]
    return pd.concat(parts, ignore_index=True)


def test_the_page_compares_perturbations_at_the_radius_that_most_have() -> None:
    results = results_of(ladder(), controls=["m"])
    rows = headline(results.robustness_settings)
    assert (set(rows["metric"]), set(rows["settings"]), usual_eps(rows)) == ({"lens_recall"}, {LENS}, 0.1)
    assert usual_eps(rows[rows["kind"] == "noise"]) == 0.2  # of equals the largest
    assert np.isnan(usual_eps(rows[rows["kind"] == "rotation"]))
    short = attributional_robustness(results, "d")
    assert list(short.columns) == ["model", "method", "attack", "noise", "rotation", "held", "samples"]
    assert short["method"].tolist() == ["m †", "m †"]
    assert (short["held"].tolist(), short["samples"].tolist()) == (["75%"] * 2, ["3"] * 2)
    above = {name: (29 / 30 - 0.05 * place - 0.3) / 0.7 for name, place in (("noise", 1), ("attack", 5))}
    assert short["noise"][0].startswith(f"{above['noise']:.2f} (")
    assert short["attack"][0].startswith(f"{above['attack']:.2f} (")  # the stronger of the two
    assert [short[name][0].endswith("‡") for name in ("attack", "noise", "rotation")] == [
        True,
        False,
        False,
    ]
    words = make_page(results, {("attributional_robustness", "d"): ["a.png"]})
    assert f"`lens_recall[{LENS}]`" in words
    assert "`eps=0.1`" in words
    assert "Drawn in `a.png`." in words
    without = results_of(column("spearman", [0.5, 0.6]))  # it has no chance level
    assert attributional_robustness(without, "d").empty


FIGURES = {"eps": draw_against_eps, "window": draw_against_window, "topk": draw_overlaps}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_figures_are_the_same_bytes_each_time(
    figure: Callable[[pd.DataFrame, Path], bool], tmp_path: Path
) -> None:
    table = results_of(ladder(["one"])).robustness_settings
    paths = [tmp_path / name for name in ("one.png", "other.png")]
    assert all(figure(table, path) for path in paths)
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_a_figure_is_drawn_where_there_is_something_to_draw(
    figure: Callable[[pd.DataFrame, Path], bool], tmp_path: Path
) -> None:
    one = results_of(
        column("lens_recall", [0.5, 0.6]), column("lens_recall.above_chance", [0.5, 0.6]),
        column("spearman", [0.5, 0.6], settings=""),
    ).robustness_settings  # fmt: skip
    for table in (one, one[:0], one[one["metric"] == "spearman"]):
        assert not figure(table, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


METRICS = "lens_recall[k=5],topk_intersection[k=5],perturbation_size,spearman"


def test_a_run_writes_its_robustness(
    selection: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perturbed_maps, "Values", None)  # the gallery has what the scores were computed from
    perturbations = (
        "sign_noise[eps=0.05],sign_noise,topk_attack[k=5,steps=2],topk_attack[k=5,steps=4,restarts=2]"
    )
    given = {**selection, "metrics": METRICS, "perturbations": perturbations, "progress": False}
    finished = xb.run(**given, out=tmp_path / "run")  # pyright: ignore[reportArgumentType]
    found = pd.read_csv(finished.folder / "robustness.csv", keep_default_na=False)
    assert list(found.columns) == ROBUSTNESS
    assert len(found) == 3 * 2 * 2 * 4  # scores, models, methods, perturbations
    assert set(found["metric"]) == {"lens_recall", "topk_intersection", "spearman"}
    attacked = found[found["perturbation"].str.contains("steps=2")]
    assert set(attacked["converged"]) <= {"yes", "attack not converged"}
    assert (found["linf"].astype(float) <= 0.1 + 1e-6).all()
    assert (found["held"].astype(float) * 12 - found["n"].astype(int)).abs().max() < 1e-4  # six digits
    noise = found[found["perturbation"].str.startswith("sign_noise")]
    each = noise.groupby(["model", "perturbation"])[["held", "l2", "linf", "output_change"]].nunique()
    assert (each == 1).all(axis=None)  # the same copies for every method and score
    page = (finished.folder / "leaderboard.md").read_text("utf-8")
    assert "### Attributional robustness" in page
    for name in ("attribution-eps-tiny.png", "attribution-topk-tiny.png", "attribution-gallery-tiny.png"):
        assert (finished.folder / name).read_bytes().startswith(b"\x89PNG")
    before = {name: (finished.folder / name).read_bytes() for name in ("robustness.csv", "leaderboard.md")}
    write(finished.folder, Results(finished.folder))
    assert before == {name: (finished.folder / name).read_bytes() for name in before}


def test_a_run_without_perturbed_copies_has_none_of_it(selection: dict[str, object], tmp_path: Path) -> None:
    given = {**selection, "out": tmp_path / "run", "progress": False}
    finished = xb.run(**given)  # pyright: ignore[reportArgumentType]
    assert not list(finished.folder.glob("attribution-*"))
    assert not (finished.folder / "robustness.csv").exists()
    assert "Attributional robustness" not in (finished.folder / "leaderboard.md").read_text("utf-8")


def test_a_model_on_other_samples_is_compared_on_those_of_both() -> None:
    """The second model lacks the last two of six samples, and another method knows two more of the first."""
    recall = [
        column("lens_recall", np.linspace(0.1, 0.9, n), model=model) for model, n in (("one", 6), ("two", 4))
    ]
    more = column(
        "gini", np.linspace(0, 1, 8), method="other", perturbation="", settings="", direction="True"
    )
    found = robustness_of(*recall, more.assign(metric_family="own"))
    assert found["common_n"].tolist() == [4, 4]
    assert found["common_mean"].tolist() == pytest.approx([np.linspace(0.1, 0.9, 6)[:4].mean(), 0.5])
