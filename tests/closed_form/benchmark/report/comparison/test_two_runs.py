"""Two runs of hand-made scores, joined on what is equal in both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_made_scores import Scores, make_cells, make_scores, noise, row
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.report.comparison.ask import Comparison, ask, read_question
from xaiboard.benchmark.report.comparison.table import compare
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.store import tables
from xaiboard.benchmark.store.columns import CURVES

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a run's tables into a folder of that name."""

    def write(
        name: str,
        values: Scores,
        *,
        cells: dict[str, Any] | None = None,
        scores: dict[str, Any] | None = None,
        absent: dict[tuple[str, str, str], tuple[str, str]] | None = None,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        tables.write_tables(
            folder,
            make_cells(values, absent).assign(**(cells or {})),
            make_scores(values).assign(**(scores or {})),
            pd.DataFrame(columns=CURVES),
        )
        return folder

    return write


def asked(one: Path, other: Path, **question: Any) -> Comparison:  # noqa: ANN401
    return ask(one, other, read_question(**question))


def of(
    *methods: str, n: int = 40, metric: str = "gini", model: str = "a"
) -> dict[tuple[str, str, str], np.ndarray]:
    """Scores that a method has in every run."""
    return {(model, method, metric): 0.5 + 0.1 * noise(sum(map(ord, method)), 60)[:n] for method in methods}


def test_two_runs_are_as_one_that_has_the_methods_of_both(save: Save) -> None:
    one, other = save("one", of("mine", "both")), save("other", of("both", "theirs"))
    found = asked(one, other, method="mine")
    whole = of("mine", "both", "theirs")
    as_floats = make_scores(whole).astype({"score": np.float32, "weight": np.float32})
    expected = compare(Results.of(make_cells(whole), as_floats), read_question(method="mine"))
    pd.testing.assert_frame_equal(found.table, expected)
    assert found.remark == "The two runs have 40 samples in common."
    swapped = asked(other, one, method="mine").table
    pd.testing.assert_frame_equal(found.table, swapped)


def test_one_sample_is_not_called_samples(save: Save) -> None:
    found = asked(save("one", of("mine", n=1)), save("other", of("theirs", n=25)), method="mine")
    assert found.remark == "The two runs have 1 sample in common."


def test_only_samples_count_that_both_runs_have(save: Save) -> None:
    found = asked(save("one", of("mine", n=40)), save("other", of("theirs", n=25)), method="mine")
    assert found.table["n"].tolist() == [25]
    expected = of("mine", n=25)["a", "mine", "gini"].mean() - of("theirs", n=25)["a", "theirs", "gini"].mean()
    assert found.table["effect"].to_numpy() == pytest.approx([expected])
    assert found.remark == "The two runs have 25 samples in common."


def test_only_samples_count_of_which_the_same_class_is_explained(save: Save) -> None:
    target = {"target": np.arange(40) % 2}
    found = asked(save("one", of("mine")), save("other", of("theirs"), scores=target), method="mine")
    assert found.table["n"].tolist() == [20]


def test_runs_without_a_common_sample(save: Save) -> None:
    one, other = save("one", of("mine")), save("other", of("theirs"), scores={"sample": np.arange(40) + 100})
    with pytest.raises(XaiboardError, match="share no sample on which the same class is explained"):
        asked(one, other, method="mine")


@pytest.mark.parametrize("fact", ["metric_version", "model_version", "weights", "perturbation_version"])
def test_runs_that_differ_in_versions(save: Save, fact: str) -> None:
    one, other = save("one", of("mine")), save("other", of("theirs"), cells={fact: "2"})
    with pytest.raises(XaiboardError, match=f"the two runs differ in {fact} in every column that both have"):
        asked(one, other, method="mine")


def test_columns_that_differ_are_left_out_and_said(save: Save) -> None:
    both = {**of("mine"), **of("mine", metric="mine")}
    theirs = {**of("theirs"), **of("theirs", metric="mine")}
    found = asked(
        save("one", both), save("other", theirs, cells={"metric_version": ["1", "2"]}), method="mine"
    )
    assert found.table["metric"].tolist() == ["gini"]
    assert found.remark == (
        "The two runs have 40 samples in common; 1 of the 2 columns that both have are left out, they differ in"
        " metric_version."
    )


def test_runs_of_other_columns(save: Save) -> None:
    one, other = save("one", of("mine")), save("other", of("theirs", model="b"))
    with pytest.raises(
        XaiboardError, match="no column in common: they are of other data sets, models, metrics"
    ):
        asked(one, other, method="mine")


def test_runs_of_other_seeds(save: Save) -> None:
    one, other = save("one", of("mine")), save("other", of("theirs"), scores={"seed": 3})
    with pytest.raises(XaiboardError, match="have the seeds 0 and 3; run both with one --seed"):
        asked(one, other, method="mine")


def test_one_run_twice(save: Save) -> None:
    one = save("one", of("mine", "theirs"))
    with pytest.raises(XaiboardError, match="is given twice"):
        asked(one, one.parent / "one" / ".." / "one", method="mine")


def changed(save: Save, **facts: dict[str, Any]) -> tuple[Path, Path]:
    return save("old", of("mine", "theirs")), save("new", of("mine"), **facts)


@pytest.mark.parametrize("fact", [{"method_version": "2"}, {"method_settings": "k=2"}])
def test_a_method_of_another_version_bears_its_run_s_name(save: Save, fact: dict[str, str]) -> None:
    one, other = changed(save, cells=fact)
    found = asked(one, other, method="mine (new)").table
    assert sorted(found["against"]) == ["mine (old)", "theirs"]
    assert row(found, against="mine (old)")["note"] == "equal scores on all samples"


def test_a_method_of_other_scores_bears_its_run_s_name(save: Save) -> None:
    score = of("mine")["a", "mine", "gini"]
    one, other = changed(save, scores={"score": score + 0.2})
    found = row(asked(one, other, method="mine (new)").table, against="mine (old)")
    assert (found["verdict"], found["effect"]) == ("better", pytest.approx(0.2, abs=1e-6))
    with pytest.raises(XaiboardError, match=r"'mine' may be any of: mine \(new\), mine \(old\)"):
        asked(one, other, method="mine")


def test_rounding_makes_no_other_method(save: Save) -> None:
    score = of("mine")["a", "mine", "gini"]
    one, other = changed(save, scores={"score": score * (1 + 1e-6)})
    assert asked(one, other, method="mine").table["against"].tolist() == ["theirs"]


def test_folders_of_one_name_are_told_apart_by_their_paths(save: Save) -> None:
    one, other = save("x/run", of("mine")), save("y/run", of("mine"), cells={"method_version": "2"})
    found = asked(one, other, method=f"mine ({one})").table
    assert found["against"].tolist() == [f"mine ({other})"]


def test_a_method_counts_with_the_columns_that_either_run_has_of_it(save: Save) -> None:
    """Both runs have the method; in one of them a cell of it failed."""
    values = {**of("mine", "both"), **of("mine", metric="mine")}
    one = save("one", values, absent={("a", "both", "mine"): ("failed", "no")})
    other = save("other", {**of("both"), **of("both", "theirs", metric="mine")})
    found = asked(one, other, method="mine").table
    assert row(found, metric="mine", against="both")["n"] == 40
    assert row(found, metric="gini", against="both")["n"] == 40
    assert row(found, metric="gini", against="theirs")["note"] == "theirs has no scores here: not in the run"


def test_the_reason_of_a_failure_survives(save: Save) -> None:
    values = {**of("mine", "both"), **of("mine", metric="mine")}
    one = save("one", values, absent={("a", "both", "mine"): ("failed", "no")})
    other = save("other", {**of("theirs"), **of("theirs", metric="mine")})
    found = asked(one, other, method="mine").table
    assert row(found, metric="mine", against="both")["note"] == "both has no scores here: failed, no"


def test_models_of_two_runs_are_compared_under_the_same_method(save: Save) -> None:
    one, other = save("one", of("both")), save("other", of("both", model="b"), scores={"target": 5})
    (found,) = asked(one, other, model="a").table.to_dict("records")
    assert (found["against"], found["method"], found["n"], found["effect"]) == ("b", "both", 40, 0)
    with pytest.raises(
        XaiboardError, match="no column in common: they are of other data sets, methods, metrics"
    ):
        asked(one, save("third", of("theirs", model="b")), model="a")
    with pytest.raises(XaiboardError, match="the two runs differ in method_version"):
        asked(one, save("fourth", of("both", model="b"), cells={"method_version": "2"}), model="a")


def test_a_network_of_other_weights_bears_its_run_s_name(save: Save) -> None:
    values = {**of("both"), **of("both", model="b")}
    one, other = save("one", values), save("other", of("both"), cells={"weights": "other"})
    found = asked(one, other, model="a (other)").table
    assert sorted(found["against"]) == ["a (one)", "b"]


def test_declared_ranges_hold_for_both(save: Save) -> None:
    """A metric that a run says to be bounded may be claimed of under the guard."""
    rare = np.where(np.arange(40) < 3, 0.9, 1.0)
    one = save("one", {("a", "mine", "mine"): rare})
    other = save("other", {("a", "theirs", "mine"): rare * 0})
    (found,) = asked(one, other, method="mine").table.to_dict("records")
    assert (found["verdict"], found["ci_low"]) == ("not told apart", -np.inf)
    reading = {"metric": "mine", "column": "", "range": [0, 1]}
    (one / "columns.json").write_text(f'{{"columns": {{"mine": {str(reading).replace(chr(39), chr(34))}}}}}')
    (found,) = asked(one, other, method="mine").table.to_dict("records")
    assert found["verdict"] == "better"
    assert found["ci_low"] == pytest.approx(found["effect"] - 0.25)


@pytest.mark.parametrize("missing", ["one", "other"])
def test_a_folder_that_is_no_run(save: Save, missing: str, tmp_path: Path) -> None:
    save({"one": "other", "other": "one"}[missing], of("mine"))
    with pytest.raises(XaiboardError, match=r"has no cells\.csv; name a folder that 'xaiboard run' wrote"):
        asked(tmp_path / "one", tmp_path / "other", method="mine")


def test_other_images_under_the_same_numbers(save: Save) -> None:
    one, other = save("one", of("mine")), save("other", of("theirs"), cells={"samples": "t"})
    with pytest.raises(
        XaiboardError, match="have as many images of d, but other ones; run both on the same data"
    ):
        asked(one, other, method="mine")


def test_a_model_of_which_other_classes_are_explained_bears_its_run_s_name(save: Save) -> None:
    values = {**of("both"), **of("both", model="b")}
    one, other = save("one", values), save("other", of("both"), scores={"target": 1})
    found = asked(one, other, model="b").table
    assert sorted(found["against"]) == ["a (one)", "a (other)"]
