"""Tables of models from hand-made scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hand_made_scores import make_cells, make_scores, row
from xaiboard.benchmark.report.results import Results


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


def models_of(*parts: tuple[str, dict[tuple[str, str, str], list[float]]]) -> pd.DataFrame:
    """The table of models, from the scores under each of some settings."""
    cells = pd.concat([make_cells(values, settings=settings) for settings, values in parts])
    scores = pd.concat([make_scores(values, settings=settings) for settings, values in parts])
    return Results.of(cells, scores).models


def named(table: pd.DataFrame, column: str) -> list[str]:
    return [str(name) for name in table if str(name).startswith(column) and ":" not in str(name)]


ONE, TWO = "epsilon=0.1", "epsilon=1"


def test_a_column_that_settings_change_for_one_model_alone_stands_for_each() -> None:
    same, other = [1.0, 0.0], [1.0, 1.0]
    table = models_of(
        (ONE, {("a", "", "accuracy"): same, ("b", "", "accuracy"): same}),
        (TWO, {("a", "", "accuracy"): same, ("b", "", "accuracy"): other}),
    )
    assert named(table, "accuracy") == ["accuracy[epsilon=0.1]", "accuracy[epsilon=1]"]
    assert row(table, model="a")[named(table, "accuracy")].tolist() == [0.5, 0.5]
    assert row(table, model="b")[named(table, "accuracy")].tolist() == [0.5, 1.0]


def test_a_column_that_a_model_has_under_one_setting_alone_stands_for_each() -> None:
    same = [1.0, 0.0]
    table = models_of(
        (ONE, {("a", "", "accuracy"): same, ("b", "", "accuracy"): same}),
        (TWO, {("a", "", "accuracy"): same}),
    )
    assert named(table, "accuracy") == ["accuracy[epsilon=0.1]", "accuracy[epsilon=1]"]
    assert np.isnan(row(table, model="b")["accuracy[epsilon=1]"])


def test_equal_means_of_other_scores_are_no_repeat() -> None:
    table = models_of((ONE, {("a", "", "accuracy"): [1.0, 0.0]}), (TWO, {("a", "", "accuracy"): [0.0, 1.0]}))
    assert named(table, "accuracy") == ["accuracy[epsilon=0.1]", "accuracy[epsilon=1]"]


def test_three_settings_of_which_one_differs_stand_for_each() -> None:
    table = models_of(
        (ONE, {("a", "", "accuracy"): [1.0, 0.0]}), (TWO, {("a", "", "accuracy"): [0.0, 0.0]}),
        ("epsilon=2", {("a", "", "accuracy"): [1.0, 0.0]}),
    )  # fmt: skip
    assert len(named(table, "accuracy")) == 3
