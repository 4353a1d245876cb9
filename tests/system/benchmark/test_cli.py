"""The command line in one process: a mistake is one sentence and exit status 2, and nothing is written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xaiboard.benchmark as xb
from helpers import ROOT
from xaiboard.benchmark import cli
from xaiboard.benchmark.cli.listing import KINDS
from xaiboard.benchmark.runs import planning, running
from xaiboard.benchmark.store.records import SCHEMA
from xaiboard.benchmark.toolkit.terminal import WIDTH

MODEL = '''
from torch import nn
from xaiboard.benchmark import model

@model(name="own.net", family="own", dataset="digits", weights="own.safetensors")
def own_net():
    """A linear network."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
'''


class Done(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: str
) -> Command:
    """``xaiboard ...`` in the temporary folder, which is the current one."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Done:
        monkeypatch.setattr("sys.argv", ["xaiboard", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return Done(int(caught.value.code or 0), out, err)

    return call


RUN = ("run", "--dataset", "tiny", "--models", "small", "--methods", "saliency", "--metrics", "gini")


@pytest.fixture
def small(tiny: str) -> None:
    import torch
    from torch import nn

    @xb.model(name="small", family="own", dataset="tiny")
    def _small() -> nn.Module:
        layer = nn.Linear(64, 4, bias=False)
        layer.weight.data = torch.linspace(-1, 1, 256).sin().view(4, 64)
        return nn.Sequential(nn.Flatten(), layer)


MISTAKES = [
    (("--models", "mlp.standad"), "no model named 'mlp.standad'; did you mean 'mlp.standard'?"),
    (("--methods", "salency"), "no method named 'salency'; did you mean 'saliency'?"),
    (("--metrics", "deletio"), "no metric named 'deletio'; did you mean 'deletion'?"),
    (("--suite", "quik"), "no suite named 'quik'; did you mean 'quick'?"),
    (("--dataset", "tinyy"), "no dataset named 'tinyy'; did you mean 'tiny'?"),
    (("--dataset", "tiny:path"), "data set 'tiny' takes no path; got 'tiny:path'"),
    (("--dataset", "image-folder"), "data set 'image-folder' needs a path: --dataset image-folder:PATH"),
    (("--perturbations", "noise"), "no perturbation named 'noise'; did you mean 'sign_noise'?"),
    (("--metrics", "deletion[step=3]"), "'deletion' has no setting 'step'; it has: baseline, steps, orders, blur"),
    (("--metrics", "deletion[steps=x]"), "setting 'steps' of 'deletion' must be int, as in steps=28; got 'x'"),
    (("--metrics", "deletion[baseline=x]"), "setting 'baseline' of 'deletion' must be one of zero, mean, blur, imp"),
    (("--metrics", "deletion[steps"), "cannot read 'deletion[steps'; write name or name[setting=value,setting=value]"),
    (("--samples", "0"), "the number of samples must be at least 1; got 0"),
    (("--samples", "99"), "tiny has 12 test samples; got 99; ask for at most 12"),
    (("--target", "other"), "no target named 'other'; there are: prediction, label"),
    (("--dtype", "half"), "no dtype named 'half'; there are: float32, float64"),
    (("--device", "abacus"), "device 'abacus' is not available here; use auto, cpu or cuda"),
    (("--batch-size", "0"), "batch size must be 'auto' or a number from 1; got '0'"),
    (("--engine", "ray2"), "no engine named 'ray2'; there are: local, ray, slurm"),
    (("--plugin", "missing.py"), "is not a Python file; give the path of a .py file"),
    (("--samples", "many"), "'many' is not a valid integer"),
    (("--nothing",), "No such option"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "sentence"),
    MISTAKES,
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(
    command: Command, small: None, tmp_path: Path, changed: tuple[str, ...], sentence: str
) -> None:
    done = command(*RUN, *changed)
    assert done.status == 2
    assert sentence in done.err
    assert done.err.startswith("xaiboard: ")
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


def assert_refused(done: Done, sentence: str) -> None:
    assert done.status == 2, done
    assert sentence in done.err
    assert done.err.count("\n") == 1


def test_a_plug_in_with_a_syntax_error(command: Command, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("def f(:\n")
    done = command("run", "--plugin", "wrong.py")
    assert_refused(done, "wrong.py' has a syntax error in line 1")
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.py"]


@pytest.mark.parametrize("act", [("run", "--out", "RUN"), ("leaderboard", "RUN"), ("status", "RUN")], ids=str)
def test_a_folder_of_another_schema_version(
    command: Command, small: None, tmp_path: Path, act: tuple[str, ...]
) -> None:
    (tmp_path / "RUN").mkdir()
    (tmp_path / "RUN" / "run.json").write_text(json.dumps({"schema": SCHEMA + 1}))
    words = (*RUN, *act[1:]) if act[0] == "run" else act
    assert_refused(
        command(*words), f"'RUN' has schema version {SCHEMA + 1}, this xaiboard reads and writes {SCHEMA}"
    )
    assert [path.name for path in (tmp_path / "RUN").iterdir()] == ["run.json"]


@pytest.mark.parametrize("act", ["leaderboard", "status"])
def test_a_folder_without_a_run(command: Command, act: str) -> None:
    assert_refused(command(act, "nowhere"), "no run in 'nowhere': it has no cells.csv")


@pytest.fixture
def own_model(tmp_path: Path, command: Command) -> Path:
    """A plug-in's model of digits with weights and their card, in the current folder."""
    source = next(Path(str(xb.models["mlp.standard"].folder)).glob("weights/mlp.standard@digits.safetensors"))
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own.py").write_text(MODEL)
    shutil.copy(source, folder / "own.safetensors")
    return folder


def run_own(command: Command) -> Done:
    words = (
        "--models",
        "own.net",
        "--methods",
        "sobel",
        "--metrics",
        "gini",
        "--samples",
        "2",
        "--out",
        "RUN",
    )
    return command("run", "--plugin", "own/own.py", *words)


def test_weights_of_another_network(command: Command, own_model: Path, tmp_path: Path) -> None:
    assert_refused(run_own(command), "own.safetensors' do not fit the network of 'own.net': ")
    assert not (tmp_path / "RUN").exists()


def test_damaged_weights(command: Command, own_model: Path, tmp_path: Path) -> None:
    path = own_model / "own.safetensors"
    content = path.read_bytes()
    for damaged in (content[:-100], b"", b"hello"):
        path.write_bytes(damaged)
        assert_refused(run_own(command), "own.safetensors' cannot be read")
    path.unlink()
    assert_refused(run_own(command), "model 'own.net' has no weights at '")
    assert not (tmp_path / "RUN").exists()


def test_weights_that_their_card_does_not_know(command: Command, own_model: Path, tmp_path: Path) -> None:
    card = {"name": "own.net", "dataset": "digits", "weights": "0" * 64, "shape": [1, 28, 28], "classes": 10}
    path = own_model / "own.json"
    path.write_text(json.dumps(card))
    assert_refused(run_own(command), "their card says 000000000000…; the file is damaged or was replaced")
    path.write_text(json.dumps({**card, "name": "other.net"}))
    assert_refused(run_own(command), "is for name 'other.net', expected 'own.net'")
    path.write_text(json.dumps({**card, "dataset": "mnist"}))
    assert_refused(run_own(command), "is for dataset 'mnist', expected 'digits'")
    path.write_text("{")
    assert_refused(run_own(command), "own.json' is damaged (Expecting property name")
    assert not (tmp_path / "RUN").exists()


@pytest.mark.parametrize("text", ["[]", "7", "null"])
def test_a_card_that_is_no_object(command: Command, own_model: Path, text: str) -> None:
    (own_model / "own.json").write_text(text)
    assert_refused(run_own(command), "own.json'")


def test_a_model_of_another_data_set(command: Command, small: None) -> None:
    done = command(*RUN, "--models", "mlp.standard")
    assert_refused(done, "model 'mlp.standard' is not trained on tiny; it is trained on: ")
    assert "digits" in done.err
    assert_refused(command(*RUN, "--models", "mlp*"), "no selected model (mlp*) is trained on tiny")


def test_a_dry_run_prints_the_plan_and_writes_nothing(command: Command, small: None, tmp_path: Path) -> None:
    done = command(*RUN, "--dry-run")
    assert done.status == 0
    assert "12 samples, 1 cells to compute, 0 inapplicable" in done.out
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_counts_what_is_left_to_compute(
    command: Command, small: None, quick: None, tmp_path: Path
) -> None:
    assert command(*RUN).status == 0
    more = command(*RUN, "--dry-run", "--metrics", "gini,entropy")
    assert "1 cells to compute, 1 finished, 0 inapplicable; 24 forward" in more.out
    elsewhere = command(*RUN, "--dry-run", "--metrics", "gini,entropy", "--out", "elsewhere")
    assert "2 cells to compute, 0 inapplicable; 24 forward" in elsewhere.out
    assert "0 cells to compute, 1 finished, 0 inapplicable; 0 forward" in command(*RUN, "--dry-run").out


def test_a_dry_run_finds_the_mistakes_of_a_run(command: Command, small: None) -> None:
    assert_refused(command(*RUN, "--dry-run", "--batch-size", "0"), "batch size must be")


def test_a_run_its_status_and_its_tables(command: Command, small: None, quick: None, tmp_path: Path) -> None:
    done = command(*RUN)
    assert done.status == 0
    assert (tmp_path / "runs" / "quick" / "leaderboard.csv").is_file()
    assert re.search(r"^\| saliency \| 1\.0 ", done.out, re.MULTILINE)
    assert "runs/quick/: leaderboard.md, leaderboard.csv" in done.out
    before = (tmp_path / "runs/quick/leaderboard.csv").read_bytes()
    status = command("status", "runs/quick")
    assert (status.status, status.out) == (0, "1 cells: 1 ok, 0 missing, 0 failed, 0 inapplicable\n")
    page = tmp_path / "runs/quick/report.html"
    page.write_text("the page of before")
    assert command("leaderboard", "runs/quick").status == 0
    assert (tmp_path / "runs/quick/leaderboard.csv").read_bytes() == before
    assert "<html" in page.read_text("utf-8")
    page.unlink()
    assert command("leaderboard", "runs/quick").status == 0
    assert not page.exists()


def documented(done: Done) -> dict[str, Any]:
    """The document that a command printed: strict JSON, with keys that the guide names."""
    document = json.loads(done.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    page = (ROOT / "docs/how-to/scripts.md").read_text("utf-8")
    assert all(f"`{key}`" in page for key in document), document.keys()
    return document


def test_documents_for_machines(command: Command, small: None, quick: None, tmp_path: Path) -> None:
    """Also with a failed cell, columns without numbers, and a number of samples that would be infinite."""
    (tmp_path / "own.py").write_text(
        "from xaiboard.benchmark import method\n\n\n@method()\ndef broken(x):\n    raise ValueError('no luck')\n"
    )
    words = (
        *RUN,
        "--methods",
        "saliency,saliency[abs=true],broken",
        "--metrics",
        "gini,accuracy",
        "--plugin",
        "own.py",
    )
    plan = documented(command(*words, "--dry-run", "--json"))
    assert plan["to_compute"] == len(plan["cells"]) == 4
    assert plan["forward"] == 36
    assert plan["seconds"] > 0
    done = command(*words, "--json")
    assert done.status == 1
    ran = documented(done)
    assert ran["counts"] == {"ok": 3, "missing": 0, "failed": 1, "inapplicable": 0}
    assert [(row["method"], row["note"]) for row in ran["failed"]] == [("broken", "ValueError: no luck")]
    assert {row["method"]: row["mean"] is None for row in ran["leaderboard"]}["broken"]
    assert [row["method"] for row in ran["order"]][-1] == "broken"
    assert documented(command("leaderboard", "runs/quick", "--json")) == ran
    assert [row["status"] for row in documented(command("status", "runs/quick", "--json"))["cells"]].count(
        "ok"
    ) == 3
    asked = documented(command("compare", "runs/quick", "--method", "saliency", "--on", "gini", "--json"))
    needed = {row["against"]: row["samples_needed"] for row in asked["rows"]}
    assert needed == {"saliency[abs=true]": "inf", "broken": None}  # the first has the same scores
    assert list(documented(command("list", "gini", "--json"))) == ["metrics"]
    refused = command("status", "nowhere", "--json")
    assert (refused.status, refused.out) == (2, "")


def test_a_failed_cell_is_exit_status_1(command: Command, small: None, quick: None, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from xaiboard.benchmark import method\n\n\n@method()\ndef broken(x):\n    raise ValueError('no luck')\n"
    )
    words = (*RUN, "--methods", "saliency,broken", "--plugin", "own.py", "--out", "RUN")
    done = command(*words)
    assert done.status == 1
    assert "1 cell failed, as cells.csv says:\n  small broken gini: ValueError: no luck" in done.out
    status = command("status", "RUN")
    assert "2 cells: 1 ok, 0 missing, 1 failed, 0 inapplicable" in status.out
    assert "ValueError: no luck" in status.out


def test_other_conditions_in_one_folder(command: Command, small: None, quick: None) -> None:
    assert command(*RUN).status == 0
    assert_refused(command(*RUN, "--seed", "5"), "'runs/quick' holds a run with seed 0, this one has 5")


def test_a_folder_that_cannot_be_written(command: Command, small: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = command(*RUN, "--out", "file/run")
    assert_refused(done, "cannot write to 'file/run'")


def test_an_interrupt_is_said(command: Command, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "execute", interrupt)
    done = command(*RUN)
    assert done.status == 130
    assert "xaiboard: interrupted; finished cells are kept, and the same command resumes" in done.err


def test_an_interrupted_dry_run_has_nothing_to_keep(
    command: Command, small: None, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(planning, "probe", interrupt)
    done = command(*RUN, "--dry-run")
    assert done.status == 130
    assert done.err.endswith("xaiboard: interrupted; a dry run computes no cells and writes nothing\n")


def test_a_finished_run_writes_nothing_and_says_the_same(
    command: Command, small: None, quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until a file is changed, or lost, or the code of the tables is another."""
    first = command(*RUN)
    folder = tmp_path / "runs" / "quick"

    def written() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}

    before = written()
    assert command(*RUN).out == first.out
    assert written() == before
    text = (folder / "leaderboard.csv").read_text()
    (folder / "leaderboard.csv").write_text(text.replace("0", "1"))
    assert command(*RUN).out == first.out
    assert (folder / "leaderboard.csv").read_text() == text
    monkeypatch.setattr(running, "sources_digest", lambda folders: "other code")
    before = written()
    assert command(*RUN).out == first.out
    assert written()["leaderboard.csv"] != before["leaderboard.csv"]


def test_a_suite_of_one_s_own(command: Command, small: None, quick: None, tmp_path: Path) -> None:
    suite = tmp_path / "mine.toml"
    suite.write_text('dataset = "tiny"\nmodels = "small"\nmethods = "sobel"\nmetrics = "gini"\nsamples = 5\n')
    done = command("run", "--suite", "mine.toml")
    assert done.status == 0
    assert (tmp_path / "runs" / "mine" / "cells.csv").is_file()
    for text, sentence in (
        ('dataset = "tiny"\n', "lacks 'metrics'; it names dataset, models, metrics and samples"),
        ("dataset = 3\n", "has dataset = 3; it may have: "),
        ("method = 'a'\n", "has method = 'a'; it may have: "),
        ("dataset = \n", "is not TOML"),
    ):
        suite.write_text(text)
        assert_refused(command("run", "--suite", "mine.toml"), sentence)


@pytest.mark.parametrize("kind", KINDS)
def test_lists(command: Command, kind: str) -> None:
    done = command("list", kind)
    assert done.status == 0
    assert {"models": "lipcnn.hkr", "suites": "quick", "datasets": "digits", "claims": "P0.1"}.get(
        kind, "_"
    ) in done.out
    assert max(map(len, done.out.splitlines())) <= WIDTH
    assert_refused(command("list", "delation"), "no component named 'delation'; did you mean 'deletion'?")
    assert_refused(
        command("list", "metric", "deletion"), "no kind of component named 'metric'; did you mean 'metrics'?"
    )
    assert_refused(command("list", "metrics", "deletio"), "did you mean 'deletion'?")


def test_lists_of_a_plug_in(command: Command, tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(
        "from xaiboard.benchmark import method\n\n\n@method(source='me')\ndef mirror(x):\n    return x\n"
    )
    done = command("list", "methods", "mirror", "--plugin", "good.py")
    assert done.status == 0
    assert done.out.startswith("method mirror:\n")
    assert "source: me" in done.out


@pytest.mark.parametrize("words", [["list"], ["--help"], ["list", "deletion"], ["list", "--json"]])
def test_lists_and_help_need_no_torch(words: list[str]) -> None:
    script = f"import sys; sys.modules['torch'] = None; sys.argv = {['xaiboard', *words]}; import runpy;"
    script += " runpy.run_module('xaiboard.benchmark', run_name='__main__')"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_help_and_version(command: Command) -> None:
    assert "--dry-run" in command("run", "--help").out
    assert command("--version").status == 0
    assert "Commands:" in command("--help").out
    for name in ("run", "list", "leaderboard", "status", "train", "audit", "check"):
        assert command(name, "--help").status == 0


def test_audit_and_train_refuse_unknown_models(command: Command) -> None:
    assert_refused(command("audit", "mlp.standad"), "did you mean 'mlp.standard'?")
    assert_refused(command("train", "mlp.standad", "--dataset", "digits"), "did you mean 'mlp.standard'?")
    assert_refused(command("train", "mlp.standard"), "Missing option '--dataset'")


def test_check_says_what_it_checked(command: Command, tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(
        "from xaiboard.benchmark import method\n\n\n@method()\ndef mirror(x):\n    return x\n"
    )
    done = command("check", "--plugin", "good.py")
    assert done.status == 0
    assert "method mirror: 6 checks hold" in done.out
    assert "every contract holds" in done.out
    (tmp_path / "bad.py").write_text(
        (tmp_path / "good.py").read_text().replace("mirror", "bad").replace("n x", "n -1")
    )
    done = command("check", "--plugin", "bad.py")
    assert done.status == 1
    assert "method bad: FAILED" in done.out


def test_check_examines_a_model(command: Command, tmp_path: Path) -> None:
    done = command("check", "--model", "cnn.standard")
    assert done.status == 0
    assert "logits: 10, finite, the same twice, and the same alone and in a batch" in done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert ["|", "3", "|", "Conv2d", "|", "32", "x", "14", "x", "14", "|"] in lines
    assert re.search(r"\| gradcam +\| right by its own check +\|", done.out)
    assert_refused(command("check", "--model", "cnn.standad"), "did you mean 'cnn.standard'?")
    (tmp_path / "odd.py").write_text(
        "import torch\nfrom xaiboard.benchmark import model\n\n\n"
        "class Noisy(torch.nn.Sequential):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x) + torch.randn(len(x), 10)\n\n\n"
        "@model(family='own')\ndef noisy():\n"
        "    return Noisy(torch.nn.Flatten(), torch.nn.Linear(784, 10))\n\n\n"
        "@model(family='own')\ndef sorts():\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10), torch.nn.GELU())\n"
        "\n\n@model(family='own')\ndef few():\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 3))\n"
    )
    done = command("check", "--plugin", "odd.py", "--model", "noisy")
    assert done.status == 1
    assert "REFUSED: its logits differ from call to call" in done.out
    done = command("check", "--plugin", "odd.py", "--model", "few", "--dataset", "digits")
    assert done.status == 1
    assert "REFUSED: it has 3 logits, and digits has 10 classes" in done.out
    done = command("check", "--plugin", "odd.py", "--model", "sorts")
    assert done.status == 0
    assert "DeepLIFT has no rule for GELU" in done.out
    assert "the model has no convolution" in done.out


def test_a_bug_keeps_its_traceback(command: Command, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "execute", bug)
    monkeypatch.setattr("sys.argv", ["xaiboard", *RUN])
    with pytest.raises(ZeroDivisionError):
        cli.main()
