"""Tables: how columns become features, everything that can be wrong with a file, and which components apply to them."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import nn
from xaiboard.benchmark.engine.runner import execute, split
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs.planning import make_plan
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.subjects.datasets import load_data

CSV = """number,word,empty,class
1,a,,yes
3,b,,no
,?,,yes
9,c,,no
2, a,,yes
5,,,no
4,b,,no
0,a,,yes
"""
"""The fourth and the eighth row are for testing: their number lies outside the training rows' 1 to 5, as does ``c``."""


def write(folder: Path, text: str = CSV, name: str = "t.csv") -> str:
    (folder / name).write_text(text)
    return f"table:{folder / name}"


def test_columns_become_features_by_hand(tmp_path: Path) -> None:
    """Numbers 1 to 5, with the median 3 for the missing one; levels a, b and missing; zeros where no value is known."""
    name = write(tmp_path)
    train, test = load_data(name, split="train"), load_data(name)
    assert train.x.tolist() == [
        [0, 1, 0, 0, 0],
        [0.5, 0, 1, 0, 0],
        [0.5, 0, 0, 1, 0],
        [0.25, 1, 0, 0, 0],
        [1, 0, 0, 1, 0],
        [0.75, 0, 1, 0, 0],
    ]
    assert test.x.tolist() == [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]]
    assert (list(test.classes), test.label.tolist(), train.label.tolist()) == (
        ["no", "yes"],
        [0, 1],
        [1, 0, 1, 1, 0, 0],
    )


def test_a_parquet_file_and_a_target_by_name(tmp_path: Path) -> None:
    frame = pd.DataFrame({"size": [2, 1, 2, 10], "on": [True, False, True, True], "x": [0.5, 1.5, 2.5, 3.5]})
    frame.to_parquet(tmp_path / "t.parquet")
    data = load_data(f"table:{tmp_path}/t.parquet[target=size]")
    assert data.x.tolist() == [[1, 1]]
    assert (list(data.classes), data.label.tolist()) == (["1", "2", "10"], [2])
    frame.assign(day=pd.to_datetime(["2024-02-01", "2024-01-01"] * 2)).to_parquet(tmp_path / "t.parquet")
    data = load_data(f"table:{tmp_path}/t.parquet")
    assert (list(data.classes), data.label.tolist()) == (["2024-01-01", "2024-02-01"], [0])


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (CSV, "t.csv[target=klass]", "has no column 'klass'; it has: number, word, empty, class"),
        (CSV, "t.csv[target=empty]", "column 'empty' in .* has 0 different values, some are missing"),
        (CSV, "t.csv[target=number]", "has 7 different values, some are missing, expected 2 to 1000 classes; name"),
        ("a,b\n1,0.5\n2,0.25\n3,0\n4,1\n", "t.csv", "has 4 different values, expected 2 to 1000 classes"),
        ("a,b\n1,0\n2,0\n3,0\n4,0\n", "t.csv", "has 1 different values"),
        ("a,b\n1,0\n2,1\n3,1\n", "t.csv", "has 3 rows, expected at least 4"),
        ("b\n0\n1\n0\n1\n", "t.csv", "has no column beside 'b', expected some; separate them by commas"),
        ("a;b\n1;0\n2;1\n3;0\n4;1\n", "t.csv", "has no column beside 'a;b', expected some; separate them by commas"),
        ("a,b\n1,0\ninf,1\n3,0\n4,1\n", "t.csv", "column 'a' in .* holds infinite numbers"),
        ("", "t.csv", "cannot be read .No columns to parse from file"),
        ('a,b\n"1,0\n', "t.csv", "cannot be read .*EOF inside string"),
        (CSV, "t.txt", "cannot be read .it ends in '.txt'.*expected a table that ends in .csv, .tsv or .parquet"),
        (CSV, "t.parquet", "cannot be read .*Parquet"),
        (CSV, "other.csv", "cannot be read .*No such file"),
    ],
)  # fmt: skip
def test_files_that_are_no_tables(tmp_path: Path, text: str, name: str, said: str) -> None:
    write(tmp_path, text, "t." + name.partition(".")[2].partition("[")[0])
    with pytest.raises(XaiboardError, match=said) as caught:
        load_data(f"table:{tmp_path}/{name}")
    assert "\n" not in str(caught.value)


def test_too_many_levels_are_said_before_they_are_features(tmp_path: Path) -> None:
    """A name for each row is not multiplied by the rows, which would take gigabytes."""
    name = write(tmp_path, "id,b\n" + "".join(f"u{row},{row % 2}\n" for row in range(14_000)))
    tracemalloc.start()
    with pytest.raises(XaiboardError, match=r"has 10500 features beside 'b', .*classes, such as 'id'"):
        load_data(name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**25


def test_the_ending_of_a_name_may_be_in_capitals(tmp_path: Path) -> None:
    assert torch.equal(load_data(write(tmp_path, name="T.CSV")).x, load_data(write(tmp_path)).x)


def test_a_table_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compressed one is measured by what it unpacks to."""
    frame = pd.DataFrame({"a": [0.0] * 100_000, "b": [0, 1] * 50_000})
    frame.to_parquet(tmp_path / "t.parquet", use_dictionary=False)
    monkeypatch.setenv("XAIBOARD_DATA_BYTES", "1000000")
    assert (tmp_path / "t.parquet").stat().st_size < 1_000_000
    for name in (f"table:{tmp_path}/t.parquet", write(tmp_path, "a,b\n" + "1,0\n" * 300_000)):
        with pytest.raises(XaiboardError, match="XAIBOARD_DATA_BYTES allows 1000000"):
            load_data(name)


def test_the_tables_of_uci(monkeypatch: pytest.MonkeyPatch) -> None:
    """As their descriptions say: numbers of rows, of classes, and one missing number in ``spambase``."""
    if not Path(os.environ.get("XAIBOARD_DATA", "nowhere"), "tabular").is_dir():
        pytest.skip("XAIBOARD_DATA has no folder 'tabular'")
    for name, features, counts in (("mushroom", 117, [4208, 3916]), ("spambase", 57, [2788, 1813])):
        splits = [load_data(name, split=split) for split in ("train", "test")]
        assert {data.x.shape[1] for data in splits} == {features}
        assert torch.cat([data.label for data in splits]).bincount().tolist() == counts
    monkeypatch.delenv("XAIBOARD_DATA")
    with pytest.raises(
        XaiboardError, match=r"mushroom needs 'mushroom.csv', .* XAIBOARD_DATA \(not set\); fetch it"
    ):
        load_data("mushroom")


def test_every_component_gives_a_score_on_vectors_or_a_reason(tmp_path: Path) -> None:
    """Every method with one metric, and every metric with one method and a perturbation.

    What needs images says so before anything is computed, and no cell fails.
    """
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(30, 4), nn.ReLU(), nn.Linear(4, 2))
    needing = {name for name, entry in {**xb.methods, **xb.metrics}.items() if entry.images}
    assert {"sobel", "ssim"} <= needing
    said = set()
    for methods, metrics in (("*", "gini"), ("saliency", "*")):
        plan = make_plan(
            read_request(
                dataset="breast-cancer",
                models={"own": network},
                methods=methods,
                metrics=metrics,
                perturbations="sign_noise",
                samples=1,
            )
        )
        store = Store(tmp_path / metrics.strip("*"))
        store.open(plan.run_conditions)
        execute(plan, store, progress=False)
        _, failed = split(plan, store)
        assert not failed, [cell.row for cell in failed]
        for cell in plan.cells:
            if cell.reason.endswith("needs images (C, H, W), and an input is a vector of 30 features"):
                said.add(
                    cell.method.component.name
                    if metrics == "gini" and cell.method
                    else cell.metric.component.name
                )
    assert said == needing
