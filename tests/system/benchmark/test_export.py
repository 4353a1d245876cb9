"""``xaiboard export``: tables for papers and other programs say what ``leaderboard.csv`` says."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from helpers import RESULTS
from xaiboard.benchmark.cli import commands
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.report.export.croissant import describe_scores
from xaiboard.benchmark.report.results import Results

Export = Callable[..., str]

QUICK = RESULTS / "quick"
KEY = ["dataset", "model", "family", "method"]


@pytest.fixture
def exported(capsys: pytest.CaptureFixture[str]) -> Export:
    """What ``xaiboard export results/quick ...`` prints."""

    def call(*words: str, folder: Path = QUICK) -> str:
        capsys.readouterr()
        assert not commands.main(["export", str(folder), *words], standalone_mode=False)
        return capsys.readouterr().out

    return call


def long() -> pd.DataFrame:
    """``leaderboard.csv`` with the name that a column has in a wide table."""
    board = pd.read_csv(
        QUICK / "leaderboard.csv", keep_default_na=False, na_values={"mean": [""], "rank": [""]}
    )
    settings = board["settings"].where(board["settings"] == "", "[" + board["settings"] + "]")
    perturbation = board["perturbation"].where(board["perturbation"] == "", "@" + board["perturbation"])
    return board.assign(column=board["metric"] + settings + perturbation)


@pytest.mark.parametrize(
    ("intervals", "beside"), [("ci", ["ci_low", "ci_high"]), ("rank", ["rank", "rank_high"])]
)
def test_a_wide_csv_joins_with_the_long_one(exported: Export, intervals: str, beside: list[str]) -> None:
    wide = pd.read_csv(io.StringIO(exported("--format", "csv", "--intervals", intervals)))
    board = long()
    board = board[board["method"] != ""]
    plain = [name for name in wide.columns if name not in KEY and ":" not in name]
    assert set(plain) == set(board["column"])
    for value, suffix in (("mean", ""), *((name, f":{name}") for name in beside)):
        melted = wide.melt(KEY, [f"{name}{suffix}" for name in plain], "column", value).dropna()
        melted["column"] = melted["column"].str.removesuffix(suffix)
        joined = melted.merge(board.dropna(subset=[value]), on=[*KEY, "column"], suffixes=("", "_long"))
        assert len(joined) == len(melted) == board[value].replace("", pd.NA).notna().sum() > 400
        assert (joined[value] == pd.to_numeric(joined[f"{value}_long"])).all()


def test_parquet_is_the_same_table_with_types(exported: Export, tmp_path: Path) -> None:
    path = tmp_path / "wide.parquet"
    words = ("--columns", "gini,lens_recall", "--intervals", "rank")
    assert exported("--format", "parquet", *words, "--out", str(path)) == f"{path}\n"
    found = pd.read_parquet(path)
    csv = pd.read_csv(io.StringIO(exported("--format", "csv", *words)))
    pd.testing.assert_frame_equal(found, csv, check_dtype=False)
    types = {column.name: str(column.type) for column in pq.read_schema(path)}
    assert (types["gini"], types["gini:rank"]) == ("double", "int64")
    assert types["method"] in ("string", "large_string")


def test_rows_and_columns_stand_in_the_order_of_the_patterns(exported: Export) -> None:
    words = (
        "--rows",
        "smoothgrad,s*,random",
        "--columns",
        "insertion[baseline=mean],gini",
        "--model",
        "cnn.st*",
    )
    wide = pd.read_csv(io.StringIO(exported("--format", "csv", *words)))
    assert wide["method"].tolist() == ["smoothgrad", "saliency", "sobel", "random"]
    assert set(wide["model"]) == {"cnn.standard"}
    assert wide.columns[4].startswith("insertion[baseline=mean,")
    assert wide.columns[-1] == "gini"
    assert not any("baseline=zero" in name or "deletion" in name for name in wide.columns)


def test_latex_has_the_best_in_bold_and_says_what_it_is_of(exported: Export) -> None:
    words = ("--model", "cnn.standard", "--columns", "gini,max_sensitivity", "--intervals", "ci")
    text = exported("--format", "latex", *words)
    board = long()
    board = board[(board["model"] == "cnn.standard") & (board["method"] != "")]
    for row in board[board["metric"].isin(["gini", "max_sensitivity"])].to_dict("records"):
        name = row["method"].replace("_", "\\_")
        (line,) = (
            line for line in text.splitlines() if re.match(rf"{re.escape(name)}(?: \\dag\{{\}})? &", line)
        )
        cell = line.split(" & ")[1 if row["metric"] == "gini" else 2]
        assert ("\\textbf" in cell) == (row["best"] == "True"), (row["method"], cell)
        assert f"${row['mean']:.3g}$" in cell
        assert f"(${float(row['ci_low']):.3g}$ to ${float(row['ci_high']):.3g}$)" in cell
    with (QUICK / "scores.parquet").open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    for fact in (
        "model cnn.standard",
        "data set digits",
        "n = 100 samples",
        "seed 0",
        "xaiboard 0.",
        digest[:16],
    ):
        assert fact in text
    for part in (
        "\\toprule",
        "\\midrule",
        "\\bottomrule",
        "\\caption{Mean scores with 95 \\% intervals",
        "Bold: ",
    ):
        assert text.count(part) == 1
    assert "Method & gini $\\uparrow$ & max\\_sensitivity $\\downarrow$ \\\\" in text


def test_markdown(exported: Export) -> None:
    text = exported(
        "--format", "markdown", "--columns", "gini", "--rows", "random,int*", "--intervals", "rank"
    )
    header, _, *rows = (line for line in text.splitlines() if line.startswith("|"))
    assert re.sub(" +", " ", header) == "| Model | Method | gini ↑ |"
    assert len(rows) == 10
    assert re.sub(" +", " ", rows[0]) == "| cnn.pgd_linf | random † | 0.414 (10) |"
    assert re.sub(" +", " ", rows[1]) == "| cnn.pgd_linf | integrated_gradients | **0.765** (1) |"


def test_models_are_rows_where_methods_play_no_part(exported: Export) -> None:
    """Neither columns without methods nor one method alone have a best: ranks compare methods, not models."""
    text = exported("--format", "markdown", "--columns", "accuracy")
    assert text.count("\n| ") == 7
    one = exported("--format", "markdown", "--rows", "integrated_gradients", "--columns", "gini")
    assert one.count("\n| ") == 7
    assert "method integrated_gradients" in one
    assert "**" not in text + one


WRONG = {
    "no method named 'nope'": ("--rows", "gradcam,nope"),
    "no metric column named 'gin'; did you mean 'gini'?": ("--columns", "gin"),
    "no metric column named 'delition'; did you mean 'deletion'?": ("--columns", "delition"),
    "no model named 'cnn'": ("--model", "cnn"),
    "no data set named 'digit'; did you mean 'digits'?": ("--dataset", "digit"),
    "'gini[a' given; settings are written NAME[SETTING=VALUE]": ("--columns", "gini[a"),
    "'accuracy' judges the network alone and has no methods; select such columns without others": (
        "--columns", "accuracy,gini"),
    "intervals 'se' given; write one of: none, ci, rank": ("--intervals", "se"),
    "parquet is no text for a terminal; name a file with --out": ("--format", "parquet"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", WRONG)
def test_a_mistake_is_one_sentence(sentence: str) -> None:
    with pytest.raises(XaiboardError) as caught:
        commands.main(["export", str(QUICK), "--format", "csv", *WRONG[sentence]], standalone_mode=False)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_files_of_a_run_are_neither_replaced_nor_believed_when_changed(tmp_path: Path) -> None:
    folder = shutil.copytree(QUICK, tmp_path / "run")
    before = (folder / "scores.parquet").read_bytes()
    words = ["export", str(folder), "--format", "csv"]
    for name in ("scores.parquet", "run.json", "leaderboard_wide.csv"):
        with pytest.raises(XaiboardError, match="is a file of the run and would be replaced"):
            commands.main([*words, "--out", str(folder / name)], standalone_mode=False)
    assert (folder / "scores.parquet").read_bytes() == before
    board = (folder / "leaderboard.csv").read_text("utf-8")
    (folder / "leaderboard.csv").write_text(board.replace("saliency", "brilliancy"), "utf-8")
    with pytest.raises(XaiboardError, match=r"leaderboard\.csv' is damaged"):
        commands.main(words, standalone_mode=False)
    (folder / "leaderboard.csv").unlink()
    with pytest.raises(XaiboardError, match="is missing; make it with: xaiboard leaderboard"):
        commands.main(words, standalone_mode=False)


def test_croissant_has_the_file_s_digest_and_every_column_with_its_type() -> None:
    said = json.loads(json.dumps(describe_scores(QUICK, Results(QUICK))))
    (file,), (table,) = said["distribution"], said["recordSet"]
    with (QUICK / "scores.parquet").open("rb") as opened:
        assert file["sha256"] == file_digest(opened, "sha256").hexdigest()
    assert file["contentSize"] == f"{(QUICK / 'scores.parquet').stat().st_size} B"
    fields = {field["name"]: field for field in table["field"]}
    scores = pd.read_parquet(QUICK / "scores.parquet")
    assert list(fields) == list(scores.columns)
    kinds = {"b": "sc:Boolean", "i": "sc:Integer", "f": "sc:Float"}
    for name, field in fields.items():
        assert field["dataType"] == kinds.get(scores[name].dtype.kind, "sc:Text"), name
        assert field["source"] == {"fileObject": {"@id": file["@id"]}, "extract": {"column": name}}
        assert field["description"]
    key = [each["@id"].removeprefix("scores/") for each in table["key"]]
    assert not scores.duplicated(key).any()
    assert (
        "10 methods on 5 models, judged by 11 metrics, on digits, 100 samples, seed 0" in said["description"]
    )
