"""What one component, model or run must not do to another's scores."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.contract import check
from xaiboard.benchmark.engine import watched_code
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.statistics.ranks import prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums
from xaiboard.benchmark.store import tables
from xaiboard.benchmark.store.consolidate import consolidate
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.subjects.code_digest import code_digest
from xaiboard.benchmark.toolkit.inert import csv_cell


def network(classes: int = 10, seed: int = 0) -> nn.Sequential:
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, classes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


def run(out: Path, **changed: object) -> xb.Run:
    given = {"models": {"net": network()}, "methods": "sobel,random", "metrics": "gini", "samples": 8}
    return xb.run(**{**given, **changed}, out=out, progress=False)


def mean(finished: xb.Run, metric: str) -> float:
    table = finished.leaderboard
    return float(table.loc[table["metric"] == metric, "mean"].iloc[0])


def test_a_model_of_wrong_logits_costs_its_own_cells(tmp_path: Path) -> None:
    finished = run(tmp_path, models={"wrong": network(3), "net": network()})
    states = finished.cells.groupby("model")["status"].unique()
    assert list(states["wrong"]) == ["failed"]
    assert list(states["net"]) == ["ok"]
    assert finished.failed["note"].str.contains("must return finite logits shaped").all()


def test_an_interrupted_run_keeps_rows_of_which_only_tables_are_left(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    published = tmp_path / "published"
    published.mkdir()
    for name in ("cells.csv", "scores.parquet", "run.json", "leaderboard.csv"):
        shutil.copy(whole.folder / name, published / name)

    def stop(attribution: Tensor) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(published, metrics=["gini", stop], methods="sobel")
    assert (published / "scores.parquet").read_bytes() == (whole.folder / "scores.parquet").read_bytes()
    consolidate(Store(published))
    assert len(tables.read_scores(published)) == len(whole.scores)


def test_functions_that_differ_in_a_closure_only_are_not_taken_for_one_another(tmp_path: Path) -> None:
    def power(exponent: int) -> object:
        def powered(x: Tensor) -> Tensor:
            return x.abs() ** exponent

        return powered

    one, six = (mean(run(tmp_path, methods=[power(exponent)]), "gini") for exponent in (1, 6))
    assert one != six
    assert code_digest(power(1)) == code_digest(power(1)) != code_digest(power(2))  # pyright: ignore[reportArgumentType]


def test_modules_that_differ_in_an_attribute_only_are_not_taken_for_one_another(tmp_path: Path) -> None:
    class Scaled(nn.Module):
        def __init__(self, temperature: float) -> None:
            super().__init__()
            self.body, self.temperature = network(), temperature

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x) / self.temperature

    plain, cool = (
        mean(run(tmp_path, models={"net": Scaled(temperature)}, metrics="gradient_norm"), "gradient_norm")
        for temperature in (1.0, 20.0)
    )
    assert cool == pytest.approx(plain / 20, rel=1e-5)


def test_shared_values_of_one_name_stay_apart(tmp_path: Path) -> None:
    def patch_drops(x: Tensor, *, baseline: str = "zero", patch: int = 4) -> Tensor:
        return torch.full((len(x), 1), 7.0)

    @xb.metric(family="own", higher_is_better=None, shared=[patch_drops])
    def sevens(patch_drops: Tensor, attribution: Tensor, *, baseline: str = "zero", patch: int = 4) -> Tensor:
        return patch_drops.mean(1)

    finished = run(tmp_path, methods="sobel", metrics="deletion.*[steps=4,orders=2],sevens")
    assert mean(finished, "sevens") == 7


def test_statistics_of_the_training_split_cannot_be_changed(tmp_path: Path) -> None:
    def vandal(x: Tensor, reference: xb.Reference) -> Tensor:
        reference.mean.fill_(1)
        return x

    metrics = "deletion[baseline=mean,steps=4,orders=2]"
    alone = run(tmp_path / "alone", methods="sobel", metrics=metrics)
    after = run(tmp_path / "after", methods=[vandal, "sobel"], metrics=metrics)
    kept = after.scores[after.scores["method"] == "sobel"].reset_index(drop=True)
    assert kept["score"].tolist() == alone.scores["score"].tolist()


def test_few_samples_tell_nothing_apart() -> None:
    """However far apart, also where the range of the scores says that nothing rare can follow."""
    noise = np.random.default_rng(0)
    for used in (1, 2, 3, 4, 5):
        score = np.where(
            np.arange(100)[:, None] < used, noise.standard_normal((100, 2)) + np.array([0, 9]), 0.0
        )
        weight = np.where(np.arange(100)[:, None] < used, 1.0, 0.0) * np.ones((1, 2))
        column = prepare(score, weight, higher_is_better=True, bounds=(0, 1e-3))
        found = rank(column, flipped_sums(column.means.influence))
        assert found.n == used
        assert found.rank.tolist() == [2, 1]
        assert found.low.tolist() == [1, 1]
        assert found.high.tolist() == [2, 2]


def test_a_family_whose_model_failed_is_empty_and_not_the_mean_of_the_rest(tmp_path: Path) -> None:
    finished = run(
        tmp_path, models={"a": network(3), "b": network(), "c": network(seed=1)}, methods="sobel", samples=100
    )
    cells = finished.cells.assign(family=finished.cells["model"].map({"a": "one", "b": "one", "c": "two"}))
    scores = finished.scores.assign(family=finished.scores["model"].map({"b": "one", "c": "two"}))
    found = Results.of(cells, scores.assign(correct=True)).families
    whole = found[(found["models_a"] == "a+b") | (found["models_b"] == "a+b")]
    assert len(whole)
    assert whole[["mean_a", "mean_b", "difference"]].isna().all(axis=None)
    assert set(whole["status"]) == {"failed"}
    alone = found[found["models_a"] == "b"]
    assert set(alone["status"]) == {"ok"}


def test_settings_that_cannot_be_part_of_a_name_are_refused() -> None:
    with pytest.raises(xb.XaiboardError, match="the default of setting 'sizes' must be a number"):

        @xb.metric(family="own", higher_is_better=None)
        def sized(attribution: Tensor, *, sizes: tuple[int, ...] = (1, 2)) -> Tensor:
            return attribution.flatten(1).sum(1)


def test_check_sees_captum_classes_and_refuses_a_file_without_components(tmp_path: Path) -> None:
    shap = tmp_path / "shap.py"
    shap.write_text(
        "import captum.attr\nfrom xaiboard.benchmark import method\n"
        "method(name='deconvolution_of_a_file')(captum.attr.Deconvolution)\n"
    )
    lines: list[str] = []
    assert check([shap], lines.append) == []
    assert any("deconvolution_of_a_file: 6 checks hold" in line for line in lines)
    empty = tmp_path / "empty.py"
    empty.write_text("x = 1\n")
    with pytest.raises(xb.XaiboardError, match="no component is registered"):
        check([empty])


@pytest.mark.parametrize(
    ("kind", "setting", "name"),
    [("methods", "draws", "smoothgrad"), ("metrics", "steps", "insertion"), ("metrics", "patch", "deletion")],
)
def test_a_setting_that_makes_no_sense_is_refused_before_anything_is_written(
    tmp_path: Path, kind: str, setting: str, name: str
) -> None:
    """Under the name that was chosen, also where a function is at fault that serves several metrics."""
    with pytest.raises(xb.XaiboardError, match=f"setting '{setting}' of '{name}' must be at least"):
        run(tmp_path / "run", **{kind: f"{name}[{setting}=0]"})
    assert not (tmp_path / "run").exists()


def test_failures_of_earlier_runs_are_not_this_run_s(tmp_path: Path) -> None:
    def broken(x: Tensor) -> Tensor:
        raise ValueError("no luck")

    assert len(run(tmp_path, methods=[broken, "sobel"]).failed) == 1
    assert len(run(tmp_path, methods="sobel").failed) == 0


def test_bars_in_a_message_do_not_break_the_page() -> None:
    page = markdown(pd.DataFrame({"note": ["a | b"]}))
    assert "a \\| b" in page


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 2**70}, "the seed must be from 0"),
        ({"seed": -1}, "the seed must be from 0"),
        ({"batch_size": "²"}, "batch size must be"),
        ({"samples": 2.5}, "must be a whole number or None; got 2.5"),
        ({"dataset": ""}, "give a data set's name"),
        ({"device": "meta"}, "device 'meta' is not available"),
        ({"methods": [3]}, "is no named function"),
    ],
)
def test_odd_arguments_are_one_sentence(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(xb.XaiboardError, match=message):
        run(tmp_path / "run", **changed)
    assert not (tmp_path / "run").exists()


def test_code_that_changed_under_the_same_version_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where what it gives for the inputs on which it is tried is the same; else it counts as another component."""

    def define(exponent: int) -> None:
        @xb.method(name="edited")
        def edited(x: Tensor) -> Tensor:
            return x if len(x) == 2 else x**exponent

    define(1)
    run(tmp_path, methods="edited")
    run(tmp_path, methods="edited")
    assert "has changed" not in capsys.readouterr().err
    define(2)
    run(tmp_path, methods="edited")
    said = "method 'edited' has changed since its finished cells were computed, and they are kept"
    assert said in capsys.readouterr().err


def test_a_reworded_docstring_is_no_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the record's digest includes the docstring, as those of version 0.1 do."""

    def define(docstring: str, exponent: str = "2") -> None:
        made: dict[str, Any] = {}
        exec(  # noqa: S102 - a function whose docstring differs
            f"def worded(x):\n    '{docstring}'\n    def inner(z):\n        '{docstring} too'\n"
            f"        return z if len(z) == 2 else z ** {exponent}\n    return inner(x)\n",
            made,
        )
        made["worded"].__module__ = __name__
        xb.method(name="worded")(made["worded"])

    define("One.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watched_code, "code_digest", lambda function, **_: code_digest(function))
        run(tmp_path, methods="worded")  # a record as version 0.1 wrote it
    for docstring in ("One.", "Another.", "A third."):
        define(docstring)
        run(tmp_path, methods="worded")
        assert "has changed" not in capsys.readouterr().err
    define("One.", "3")
    run(tmp_path, methods="worded")
    assert "method 'worded' has changed" in capsys.readouterr().err


def test_digests_without_docstrings_still_see_constants() -> None:
    def one(x: Tensor) -> str:
        """Doc."""
        return "one"

    def two(x: Tensor) -> str:
        """Doc."""
        return "two"

    def bare(x: Tensor) -> str:
        return "one"

    bare.__name__ = "one"
    assert code_digest(one, docstrings=False) == code_digest(bare, docstrings=False)
    assert code_digest(one) != code_digest(bare)
    assert code_digest(one, docstrings=False) != code_digest(two, docstrings=False)
    first, second = (lambda: "a"), (lambda: "b")
    assert code_digest(first, docstrings=False) != code_digest(second, docstrings=False)


def test_functions_over_arrays_ranges_and_paths_are_told_apart() -> None:
    def over(value: object) -> str:
        return code_digest(lambda: value)

    values = [
        range(3),
        range(4),
        slice(1),
        ...,
        Path("a"),
        Path("b"),
        np.float32(1),
        np.arange(3),
        np.arange(3.0),
    ]
    values += [functools.partial(int, base=2), functools.partial(int, base=3)]
    assert len({over(value) for value in values}) == len(values)
    assert over(np.arange(3)) == over(np.arange(3))


def test_signs_that_a_terminal_obeys_are_spaces_in_a_csv() -> None:
    assert csv_cell("a\x1b[31m\u202eb\nc") == "a [31m b\nc"
