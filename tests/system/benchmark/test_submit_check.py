"""``xaiboard submit-check``: a run of one's own fits published results, or each reason against it is a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from shutil import copytree, ignore_patterns

import pandas as pd
import pyarrow.parquet as pq
import pytest
from helpers import RESULTS, Runner
from torch import Tensor
from xaiboard.benchmark import method
from xaiboard.benchmark.cli import commands
from xaiboard.benchmark.report.publish import publish
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.submission.check import problems
from xaiboard.benchmark.store.glossary import make_glossary, write_glossary
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.run_file import RunFile, Seal, read_run, write_run
from xaiboard.benchmark.store.tables import write_tables

Tables = tuple[pd.DataFrame, pd.DataFrame]


def brightness(x: Tensor) -> Tensor:
    """The image."""
    return x.clone()


def test_a_run_that_fits(
    run: Runner, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xaiboard.benchmark.engine.plan.SHARD_BYTES", 5 * 64 * 4)  # several records a cell
    method(source="Doe 2027, arXiv:2701.00001")(brightness)
    metrics = "gini,topk_intersection[k=3],accuracy"
    publish(run(methods="saliency,random", metrics=metrics).folder, tmp_path / "published")
    mine = run(methods="brightness,random", metrics=metrics, out=tmp_path / "mine").folder
    (tmp_path / "mine.py").write_bytes(b"def brightness(x): ...\n")
    words = ["--against", str(tmp_path / "published"), "--plugin", str(tmp_path / "mine.py")]

    assert commands.main(["submit-check", str(mine), *words], standalone_mode=False) == 0
    out = capsys.readouterr().out
    header, _, row = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line.startswith("|")
    )
    said = dict(zip(header, row, strict=True))
    assert (said["method"], said["source"], said["version"]) == (
        "brightness",
        "Doe 2027, arXiv:2701.00001",
        "1",
    )
    assert said["cells"] == "4"  # two networks, two metrics
    board = Results(mine).leaderboard
    assert int(said["rows"]) == (board["method"] == "brightness").sum() > 4  # each column of a metric is one
    cells = Results(mine).cells
    key = cells.loc[cells["method"] == "brightness", "key"].iloc[0]
    provenance = json.loads(pq.read_schema(mine / "records" / f"{key}-0.parquet").metadata[b"provenance"])
    assert [said["code"]] == [f"{name} {digest}" for name, digest in provenance["code"].items()]
    assert f"mine.py: sha256 {sha256((tmp_path / 'mine.py').read_bytes()).hexdigest()}\n" in out

    submitted = [tmp_path / "mine.py"]
    against = Results(tmp_path / "published")
    copytree(mine, tmp_path / "copy", ignore=ignore_patterns("records"))
    (found,) = problems(Results(tmp_path / "copy"), against, submitted)
    assert found.startswith(f"'{tmp_path / 'copy'}' has no records")
    reused = run(methods="brightness", metrics=metrics, out=tmp_path / "reused", reuse=against.folder).folder
    (found,) = problems(Results(reused), against, submitted)
    assert found == (
        "4 finished cells of 'random' were taken over with --reuse, not computed: run the whole suite anew, without"
        ' --reuse and with another --out, with --methods "brightness,random"'
    )
    computed_elsewhere(mine, key, torch="0.4", code={"method 'brightness'": "0123456789ab"})
    found = problems(Results(mine), against, submitted)
    starts = ("the cells were computed with torch 0.4 and ", "the code of method 'brightness' was changed")
    assert [text.startswith(start) for text, start in zip(found, starts, strict=True)] == [True] * 2

    board = mine / "leaderboard.csv"
    board.write_text(board.read_text("utf-8").replace("brightness", "brilliance"), "utf-8")
    assert commands.main(["submit-check", str(mine), *words], standalone_mode=False) == 1
    assert capsys.readouterr().out == f"'{board}' is damaged (it does not fit its seal in 'run.json')\n"


def computed_elsewhere(folder: Path, key: str, **other: object) -> None:
    """Writes the second record of a cell anew, with the same scores and another provenance."""
    store = Store(folder)
    record, identity, provenance, _ = store.read_whole(key, 1)
    store.files_of(key)[1].unlink()
    store.write(key, 1, record, identity, {**provenance, **other})


# Runs that do not fit are made of a part of the published results, since computing each would take its time. They have
# no records, which is one thing more that does not fit.


def tables(*methods: str) -> Tables:
    """Cells and scores of these methods, of two networks and two metrics of ``quick``."""
    results = Results(RESULTS / "quick")
    cells, scores = results.cells, results.scores.astype({"method": str, "metric": str, "model": str})
    models, metrics = ["cnn.standard", "mlp.standard"], ["gini", "max_sensitivity"]
    return tuple(
        of[of["method"].isin(methods) & of["model"].isin(models) & of["metric"].isin(metrics)]
        for of in (cells, scores)
    )  # pyright: ignore[reportReturnType]


def folder_of(folder: Path, made: Tables, source: str = "Doe 2027", **conditions: object) -> Results:
    """A folder with these tables, sealed."""
    known = read_run(RESULTS / "quick")
    assert known is not None
    folder.mkdir()
    write_run(folder, RunFile({**known.conditions, **conditions}, Seal()))
    cells, scores = made
    write_tables(folder, cells, scores, pd.DataFrame())
    said = {"sources": {"methods": {"mine": source}}}
    write_glossary(folder, make_glossary(cells, scores["metric"].unique(), said), scores)
    return Results(folder)


def with_mine(made: Tables) -> Tables:
    """The tables with a method under another name, as if it were new."""
    cells, scores = (of.replace({"method": {"integrated_gradients": "mine"}}) for of in made)
    return cells, scores


def less(made: Tables, **where: str) -> Tables:
    """The tables without the rows that have these values."""
    cells, scores = (
        of[~pd.concat([of[name] == value for name, value in where.items()], axis=1).all(axis=1)]
        for of in made
    )
    return cells, scores


def changed(made: Tables, method: str, **values: str | bool) -> Tables:
    """The tables with other values in the cells of a method."""
    cells, scores = made
    cells = cells.copy()
    for name, value in values.items():
        cells.loc[cells["method"] == method, name] = value
    return (cells, scores[scores["method"] != method]) if "status" in values else (cells, scores)


def shifted(made: Tables) -> Tables:
    """As another version of torch may give: the identities are the same, the scores of a control are not."""
    cells, scores = made
    return cells, scores.assign(score=scores["score"] + 0.01 * (scores["method"] == "random"))


def swapped(made: Tables) -> Tables:
    """The cells of the controls with the weights of other networks, and other keys therefore."""
    cells, scores = made
    control = cells["control"]
    cells = cells.assign(
        key=cells["key"].where(~control, cells["key"].str[:-1] + "x"),
        weights=cells["weights"].where(~control, "0"),
    )
    return cells, scores


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return folder_of(tmp_path_factory.mktemp("of") / "published", tables("saliency", "random", "sobel"))


WRONG: dict[str, Callable[[Tables], Tables]] = {
    "the control 'sobel' lacks 4 of its 4 cells, the first is": partial(less, method="sobel"),
    "the control 'sobel' lacks 2 of its 4 cells, the first is digits/cnn.standard/gini/": partial(
        less, method="sobel", metric="gini"
    ),
    "'mine' applies in none of its 4 cells": partial(changed, method="mine", status="inapplicable"),
    "4 of the 4 cells of 'mine' failed": partial(changed, method="mine", status="failed"),
    "2 of the 4 cells of 'mine' are missing": partial(less, method="mine", metric="gini"),
    "'mine' is a control": partial(changed, method="mine", control=True),
    "the run has no method that": partial(less, method="mine"),
    "8 cells of the controls are not those that were published: they differ in weights": swapped,
    "the control 'random' has other scores than the published ones": shifted,
    "the run is on other, the published one on digits": lambda made: (
        made[0].assign(dataset="other"), made[1].assign(dataset="other"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", WRONG)
def test_what_does_not_fit_is_a_sentence(sentence: str, published: Results, tmp_path: Path) -> None:
    made = with_mine(tables("integrated_gradients", "random", "sobel"))
    (found,) = beside_records(folder_of(tmp_path / "run", WRONG[sentence](made)), published)
    assert found.startswith(sentence)


def beside_records(mine: Results, published: Results) -> list[str]:
    """What is found beside the missing records; the plug-in is this file, which names 'mine'."""
    found = problems(mine, published, [Path(__file__)])
    return [text for text in found if "has no records, by which computed cells" not in text]


def test_conditions_and_source(published: Results, tmp_path: Path) -> None:
    made = with_mine(tables("integrated_gradients", "random", "sobel"))
    fits = folder_of(tmp_path / "fits", made)
    assert beside_records(fits, published) == []
    other = tmp_path / "other.py"
    other.write_text("def determine(x): ...\n")  # in which the name is no word
    for plugins in ([], [other]):
        found = problems(fits, published, plugins)
        assert "no file given with --plugin names 'mine': give the one that registers it" in found
    found = beside_records(folder_of(tmp_path / "run", made, source="", seed=1, dtype="float64"), published)
    starts = (
        "the run has seed 1, the published one has 0",
        "the run has dtype float64,",
        "'mine' declares no source",
    )
    assert [text.startswith(start) for text, start in zip(found, starts, strict=True)] == [True] * 3
