"""``xaiboard compare`` on runs: what it prints and writes, from the command line and from Python."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from helpers import Runner
from torch import Tensor, nn
from xaiboard.benchmark import Run, cli
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.report.comparison.table import COMPARE

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """``xaiboard compare ...`` in the temporary folder: its exit status, and what it prints."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["xaiboard", "compare", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return call


def gradient_size(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Magnitude of the gradient."""
    logit = model(x.requires_grad_()).gather(1, target[:, None]).sum()
    return torch.autograd.grad(logit, x)[0].abs()


def test_the_answer_is_printed_and_written(run: Runner, command: Command) -> None:
    finished = run(metrics="gini,jpeg_size,accuracy", perturbations=None)
    status, out, err = command("run", "--method", "saliency", "--against", "random")
    assert (status, err) == (0, "")
    assert out.startswith("saliency against random (dataset tiny, n 12): ")
    assert out.endswith("\nrun/compare.csv, run/compare.md\n")
    table = pd.read_csv(finished.folder / "compare.csv", keep_default_na=False)
    assert list(table.columns) == COMPARE
    assert set(table["model"]) == {"cnn", "mlp"}
    assert (table["method"] == "saliency").all()
    board = pd.read_csv(finished.folder / "leaderboard.csv")
    means = board.set_index(["model", "metric", "method"])["mean"]
    for row in table.to_dict("records"):
        mine, theirs = (means[row["model"], row["metric"], method] for method in ("saliency", "random"))
        assert (row["mean"], row["mean_against"]) == pytest.approx((mine, theirs), rel=1e-5)
        assert row["effect"] == pytest.approx(mine - theirs, abs=2e-6 * max(abs(mine), abs(theirs), 1))
    page = (finished.folder / "compare.md").read_text("utf-8")
    assert page.startswith("# Is saliency better?\n\nsaliency against random")
    assert page.count("| cnn ") == len(table) / 2


def test_python_gives_the_same_table(run: Runner, command: Command) -> None:
    finished = run(perturbations=None)
    command("run", "--method", "saliency", "--on", "gini", "--margin", "0.5", "--out", "elsewhere")
    found = finished.compare(method="saliency", on=["gini"], margin=0.5)
    written = pd.read_csv("elsewhere/compare.csv", keep_default_na=False, na_values={"samples_needed": ""})
    for name in ("model", "against", "verdict", "n", "note"):
        assert found[name].tolist() == written[name].tolist()
    assert found["effect"].to_numpy() == pytest.approx(written["effect"].to_numpy(), rel=1e-5)
    assert not (finished.folder / "compare.csv").exists()


WRONG = {
    "'method' of compare() must be a text; got 3": {"method": 3},
    "'method' of compare() must be a text; got ['saliency']": {"method": ["saliency"]},
    "'against' of compare() must be a text or a list whose items are each a text; got 3": {"against": 3},
    "'against' of compare() must be a text or a list whose items are each a text; got None": {
        "against": None
    },
    "'on' of compare() must be a text or a list whose items are each a text; got None": {"on": None},
    "'margin' of compare() must be a number or None; got 'a'": {"margin": "a"},
    "'margin' of compare() must be a number or None; got True": {"margin": True},
    "'other' of compare() must be a xaiboard Run, a text, a pathlib Path or None; got 5": {"other": 5},
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_argument_is_one_sentence(sentence: str, tmp_path: Path) -> None:
    with pytest.raises(XaiboardError) as caught:
        Run(tmp_path).compare(**{"method": "saliency", **WRONG[sentence]})
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", ["compare.csv", "compare.md"])
def test_a_file_of_another_origin_is_not_replaced(
    name: str, run: Runner, command: Command, tmp_path: Path
) -> None:
    run(perturbations=None)
    words = ("run", "--method", "saliency", "--out", "there")
    assert command(*words)[0] == command(*words)[0] == 0  # those of an earlier comparison are
    (tmp_path / "there" / name).write_text("mine\n")
    before = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
    status, out, err = command(*words)
    sentence = f"'there/{name}' was not written by a comparison and would be replaced; give another folder with --out"
    assert (status, out, err) == (2, "", f"xaiboard: {sentence}\n")
    assert {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()} == before


@pytest.mark.parametrize("words", [(), ("--out", "")])
def test_a_folder_without_a_name_is_refused(words: tuple[str, ...], command: Command, tmp_path: Path) -> None:
    status, out, err = command(*(("gone",) if words else ("",)), "--method", "saliency", *words)
    assert (status, out) == (2, "")
    assert "a folder must have a name that can be shown; got ''" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_method_of_one_s_own_against_another_run(run: Runner, tmp_path: Path) -> None:
    theirs = run(methods="saliency,random", perturbations=None)
    mine = run(methods=[gradient_size], perturbations=None, out=tmp_path / "mine")
    found = mine.compare(method="gradient_size", other=theirs)
    assert set(found["against"]) == {"saliency", "random"}
    assert set(found["n"]) == {12}
    both = run(methods=["saliency", "random", gradient_size], perturbations=None, out=tmp_path / "both")
    whole = both.compare(method="gradient_size")
    pd.testing.assert_frame_equal(found, whole)
    pd.testing.assert_frame_equal(found, mine.compare(method="gradient_size", other=str(theirs.folder)))


def test_models_of_two_runs(run: Runner, mlp: nn.Module, cnn: nn.Module, tmp_path: Path) -> None:
    one = run(models={"mlp": mlp}, perturbations=None)
    other = run(models={"cnn": cnn}, perturbations=None, out=tmp_path / "other")
    both = run(perturbations=None, out=tmp_path / "both")
    found, whole = one.compare(model="mlp", other=other), both.compare(model="mlp")
    pd.testing.assert_frame_equal(found, whole)
    assert {"", "saliency"} <= set(found["method"])


SALIENCY = ("run", "--method", "saliency")
NO_RUN = "no run in 'gone': it has no cells.csv; name a folder that 'xaiboard run' wrote"

MISTAKES = {
    ("run",): "nothing to compare; name a method with --method, or a model with --model",
    ("run", "--method", "salency"): "no method named 'salency'; did you mean 'saliency'?",
    (*SALIENCY, "--against", "randm"): "no method named 'randm'; did you mean 'random'?",
    (*SALIENCY, "--model", "cn"): "no model named 'cn'; did you mean 'cnn'?",
    (*SALIENCY, "--on", "gin"): "no metric column named 'gin'; did you mean 'gini'?",
    (*SALIENCY, "--margin", "-1"): "margin -1 given; it must be a positive number in units of the score",
    (*SALIENCY, "--seeds"): "--seeds compares recipes of models; leave --method out, and name a model",
    ("run", *SALIENCY): "'run' is given twice; name two runs, or one alone",
    ("gone", "--method", "saliency"): NO_RUN,
    ("run", "gone", "--method", "saliency"): NO_RUN,
}


def test_a_mistake_is_one_sentence_and_writes_nothing(run: Runner, command: Command, tmp_path: Path) -> None:
    run(perturbations=None)
    before = sorted(tmp_path.rglob("*"))
    for words, sentence in MISTAKES.items():
        status, out, err = command(*words)
        assert (status, out, err) == (2, "", f"xaiboard: {sentence}\n"), words
    for words in (
        (*SALIENCY, "--margin", "much"),
        (*SALIENCY, "--correct", "all"),
    ):
        status, out, err = command(*words)
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "file").touch()
    status, out, err = command(*SALIENCY, "--out", "file")
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    shutil.rmtree(tmp_path / "run" / "records")
    status, _, _ = command(*SALIENCY)  # the tables alone are enough
    assert status == 0
