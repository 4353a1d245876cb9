"""Published copies: what rules leave out is gone everywhere, the rest is what it was, and nothing is too large."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xaiboard.benchmark as xb
from PIL import Image
from xaiboard.benchmark.report import publish as publishing
from xaiboard.benchmark.report.left_out import Rule, read_rules
from xaiboard.benchmark.report.publish import publish, shrink
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.write import write
from xaiboard.benchmark.store.run_file import read_run
from xaiboard.benchmark.store.tables import read_curves
from xaiboard.benchmark.store.verify import verify

Runner = Callable[..., xb.Run]

METRICS = "gini,deletion[steps=4,orders=2],deletion[steps=5,orders=2],topk_intersection[k=3],accuracy"
PERTURBATIONS = "sign_noise,sign_noise[eps=0.2]"


@pytest.fixture
def whole(run: Runner) -> Path:
    return run(methods="saliency,random", metrics=METRICS, perturbations=PERTURBATIONS).folder


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / name, keep_default_na=False, dtype=str)


def test_a_copy_without_rules_has_the_same_tables(whole: Path, tmp_path: Path) -> None:
    names = publish(whole, tmp_path / "copy")
    assert {
        "scores.parquet",
        "cells.csv",
        "run.json",
        "leaderboard.csv",
        "leaderboard.md",
        "curves.parquet",
    } <= set(names)
    assert "records" not in names
    for name in names:
        if not name.endswith((".png", ".parquet", "run.json", "croissant.json")):  # scores have another order
            assert (tmp_path / "copy" / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_copy_is_sealed_as_it_is(whole: Path, tmp_path: Path) -> None:
    names = publish(whole, tmp_path / "copy", [RULES["method"]], "CC-BY-4.0")
    copy, run = read_run(tmp_path / "copy"), read_run(whole)
    assert copy is not None and copy.seal is not None
    assert run is not None and run.seal is not None
    assert copy.conditions == {**run.conditions, "license": "CC-BY-4.0"}
    assert json.loads((tmp_path / "copy" / "croissant.json").read_text("utf-8"))["license"] == "CC-BY-4.0"
    assert "license" not in json.loads((whole / "croissant.json").read_text("utf-8"))
    assert set(copy.seal.files) == set(names) - {"run.json"}
    assert set(copy.seal.cells.items()) < set(run.seal.cells.items())
    assert verify(tmp_path / "copy") == ([], len(names), 0)
    Results(tmp_path / "copy").scores.assign(score=1.0).to_parquet(tmp_path / "copy" / "scores.parquet")
    problems = verify(tmp_path / "copy").problems
    assert len(problems) == 1 + len(copy.seal.cells)


def test_scores_alone_are_enough_for_the_tables(whole: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    names = publish(whole, copy, scores_alone=True)
    assert names == ["cells.csv", "columns.json", "run.json", "scores.parquet"]
    assert set(json.loads((copy / "columns.json").read_text("utf-8"))["files"]) == set(names)
    assert verify(copy) == ([], len(names), 0)
    write(copy, Results(copy))
    assert (copy / "leaderboard.csv").read_bytes() == (whole / "leaderboard.csv").read_bytes()


RULES = {
    "model": Rule(model=("cnn",)),
    "method": Rule(method=("random",), metric=("gini",)),
    "setting": Rule(metric=("deletion",), settings={"steps": ("5",)}),
    "column": Rule(metric=("deletion",), column=("normalised", "win_*")),
    "radius": Rule(under={"eps": ("0.2",)}),
    "perturbation": Rule(metric=("topk_*",), perturbation=("sign_noise",)),
}


@pytest.mark.parametrize("name", RULES)
def test_rules(name: str, whole: Path, tmp_path: Path) -> None:
    publish(whole, tmp_path / "copy", [RULES[name]])
    before, after = table(whole, "leaderboard.csv"), table(tmp_path / "copy", "leaderboard.csv")
    gone = {
        "model": before["model"] == "cnn",
        "method": (before["method"] == "random") & (before["metric"] == "gini"),
        "setting": before["settings"].str.contains("steps=5"),
        "column": before["metric"].isin(["deletion.normalised", "deletion.win_rate"]),
        "radius": before["perturbation"] == "sign_noise[eps=0.2]",
        "perturbation": before["metric"].str.startswith("topk_"),
    }[name]
    assert gone.any()
    kept = before[~gone].reset_index(drop=True)
    if name != "method":  # ranks are among the methods that are left
        pd.testing.assert_frame_equal(after, kept)
    assert len(after) == len(kept)
    cells = table(tmp_path / "copy", "cells.csv")
    assert len(cells) == len(table(whole, "cells.csv")) - {
        "model": 11, "method": 2, "setting": 4, "column": 0, "radius": 4, "perturbation": 8,
    }[name]  # fmt: skip
    curves = read_curves(tmp_path / "copy")
    assert (name == "setting") == (not curves["settings"].astype(str).str.contains("steps=5").any())


def test_a_copy_is_rebuilt_from_its_own_files(whole: Path, tmp_path: Path) -> None:
    publish(whole, tmp_path / "copy", list(RULES.values())[1:])
    shutil.copytree(tmp_path / "copy", tmp_path / "again")
    write(tmp_path / "again", Results(tmp_path / "again"))
    for path in (tmp_path / "copy").glob("*.csv"):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_large_derived_tables_are_left_to_be_rebuilt(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "DERIVED", 10)
    names = publish(whole, tmp_path / "copy")
    assert {"leaderboard.csv", "models.csv", "scores.parquet"} <= set(names)
    assert not {"families.csv", "leaderboard_wide.csv", "health.csv"} & set(names)
    monkeypatch.setattr(publishing, "LARGEST", 100)
    before = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    with pytest.raises(xb.XaiboardError, match="more than the 0 that a published file may have"):
        publish(whole, tmp_path / "copy")
    assert {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()} == before


def test_nothing_but_a_published_copy_is_replaced(whole: Path, run: Runner, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    other = run(methods="random", metrics="gini", out=tmp_path / "other").folder
    for target, word in (
        (mine, "no published copy"),
        (other, "no published copy"),
        (whole, "itself"),
        (whole / "copy", "one lies in the other"),
        (tmp_path, "one lies in the other"),
    ):
        with pytest.raises(xb.XaiboardError, match=word):
            publish(whole, target)
    assert (mine / "thesis.tex").read_text() == "years of work"
    assert any((other / "records").glob("*.parquet"))
    publish(whole, tmp_path / "copy")
    (tmp_path / "copy" / "old.png").write_bytes(b"an old picture")
    assert "old.png" not in publish(whole, tmp_path / "copy")
    (tmp_path / "copy" / "thesis.tex").write_text("years of work")
    with pytest.raises(xb.XaiboardError, match=r"holds 'thesis\.tex', which is no part of a published copy"):
        publish(whole, tmp_path / "copy")
    assert (tmp_path / "copy" / "thesis.tex").read_text() == "years of work"
    assert not list(tmp_path.glob(".copy.*"))


def test_pictures_fit_a_screen(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 900, 3), dtype=np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    shrink(path, 200_000)
    assert path.stat().st_size <= 200_000
    with Image.open(path) as picture:
        assert picture.width / picture.height == pytest.approx(1.5, abs=0.02)
    before = path.read_bytes()
    shrink(path, 200_000)
    assert path.read_bytes() == before


def test_rules_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(
        '[["two*"]]\nmodel = "cnn"\n[[two]]\nunder = { eps = ["0.1", "0.2"] }\n[[other]]\nmetric = "x"\n'
    )
    assert read_rules(path, "two") == [Rule(model=("cnn",)), Rule(under={"eps": ("0.1", "0.2")})]
    assert read_rules(path, "three") == []
    path.write_text('[[two]]\nmodels = "cnn"\n')
    with pytest.raises(
        xb.XaiboardError, match=r"a rule of 'two' in .* has models; it may have: model, method"
    ):
        read_rules(path, "two")
    with pytest.raises(xb.XaiboardError, match="cannot be read"):
        read_rules(tmp_path / "none.toml", "two")


def test_rules_that_leave_nothing_are_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(xb.XaiboardError, match="the rules leave nothing"):
        publish(whole, tmp_path / "copy", [Rule(model=("*",))])
    assert not (tmp_path / "copy").exists()


def test_rules_that_are_about_nothing_are_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(xb.XaiboardError, match=r"rule 2 leaves out no score of the run: .*'gni'"):
        publish(whole, tmp_path / "copy", [Rule(metric=("gini",)), Rule(metric=("gni",))])
    path = tmp_path / "rules.toml"
    path.write_text('[[two]]\nsettings = "steps=5"\n')
    with pytest.raises(xb.XaiboardError, match=r"'settings' of a rule of 'two' in .* must be a table"):
        read_rules(path, "two")
