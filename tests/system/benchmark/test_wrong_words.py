"""Wrong command lines: each is one sentence that says what was given and what to do, exit status 2, nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
import xaiboard.benchmark as xb
from helpers import files_below
from xaiboard.benchmark import cli

PLUGIN = """
import torch
from torch import nn
from xaiboard.benchmark import Data, dataset, method, model

X = torch.rand(4, 1, 8, 8)


@dataset()
def number(split):
    return 3


@dataset()
def labels_too_large(split):
    return Data(X, torch.arange(4) + 8, ["a"] * 4)


@dataset()
def doubles(split):
    return Data(X.double(), torch.arange(4), ["a"] * 4)


@dataset()
def out_of_range(split):
    return Data(X * 2, torch.arange(4), ["a"] * 4)


@dataset()
def raising(split):
    raise ValueError("no luck")


@dataset()
def counted(split):
    return Data(X, torch.arange(4), 4)


@dataset()
def named(split):
    return Data(X, torch.arange(4), ["a"] * 4, ids=list("abcd"))


@model(family="own")
def no_module():
    return 3


@model(family="own")
def unbuilt():
    raise ValueError("no luck")


@model(family="own", recipe=lambda name, dataset, **settings: 3)
def no_weights():
    return nn.Flatten()
"""
DECORATED = "from xaiboard.benchmark import method\n\n\n@method{}\ndef own(x{}):\n    return x\n"
SUITE = 'dataset = "digits"\nmodels = "linear.standard"\nmethods = "sobel"\nmetrics = "gini"\nsamples = 2\n'
FILES = {
    "own.py": PLUGIN,
    "bare.py": DECORATED.format("", ""),
    "number.py": DECORATED.format("(name=3)", ""),
    "typo.py": DECORATED.format("(nam='x')", ""),
    "versioned.py": DECORATED.format("(version='2')", ""),
    "zero.py": DECORATED.format("(version=0)", ""),
    "long.py": DECORATED.format(f"(name='{'x' * 200}')", ""),
    "asks.py": DECORATED.format("()", ", image"),
    "needs.py": DECORATED.format("()", ", *, k"),
    "list.py": DECORATED.format("()", ", *, k=[1]"),
    "taken.py": DECORATED.format("(name='saliency')", ""),
    "nul.py": "\0",
    "note.txt": "x",
    "broken.toml": SUITE + "a = [",
    "unknown.toml": SUITE + "metric = 'gini'\n",
    "typed.toml": SUITE.replace("2", '"2"'),
    "rules.toml": "a = [",
    "number.toml": "copy = 3",
    "table.toml": "[copy]\nmodel = 'a'",
    "words.toml": "copy = ['a']",
    "deep.toml": "a = " + "[" * 20_000,
    "file": "x",
}

SELECTED = ("--dataset", "digits", "--models", "linear.standard", "--methods", "sobel", "--metrics", "gini")
TRAIN = ("train", "linear.standard", "--dataset", "digits")
LONG = "x" * 300


def run(*words: str) -> tuple[str, ...]:
    return ("run", *SELECTED, "--samples", "2", *words)


MISTAKES = [
    ((), "Missing command"),
    (("runn",), "No such command 'runn'"),
    (run("extra"), "Got unexpected extra argument"),
    (run("--out", ""), "Invalid value for '--out': a folder must have a name that can be shown; got ''"),
    (run("--out", " "), "a folder must have a name that can be shown; got ' '"),
    (run("--out", "a\nb"), r"a folder must have a name that can be shown; got 'a\nb'"),
    (run("--out", "\udcff"), r"a folder must have a name that can be shown; got '\udcff'"),
    (run("--out", "file"), "cannot write to 'file'"),
    (run("--out", "file/run"), "cannot write to 'file/run'"),
    (run("--out", LONG), "can be no folder of a run: File name too long; name another."),
    (run("--out", "/dev/null"), "cannot write to '/dev/null'"),
    (run("--reuse", ""), "Invalid value for '--reuse': a folder must have a name"),
    (run("--reuse", "nowhere"), "no run to reuse in 'nowhere'"),
    (run("--reuse", "file"), "no run to reuse in 'file'"),
    (run("--reuse", "empty"), "no run to reuse in 'empty'"),
    (run("--samples", "0"), "the number of samples must be at least 1; got 0"),
    (run("--keep", "-1"), "the number of samples whose maps are kept must be at least 0; got -1"),
    (run("--maps", "--dry-run"), "Give --maps or --dry-run, not both."),
    (run("--maps", "--out", "nowhere"), "no run in 'nowhere'"),
    (run("--samples", "-1"), "the number of samples must be at least 1; got -1"),
    (run("--samples", "1e9"), "'1e9' is not a valid integer"),
    (run("--samples", "1000000000"), "digits has 449 test samples; got 1000000000; ask for at most 449"),
    (run("--samples", ""), "'' is not a valid integer"),
    (run("--seed", "a"), "'a' is not a valid integer"),
    (run("--seed", "-1"), "the seed must be from 0 to 2**63 - 1; got -1"),
    (run("--seed", "9" * 20), "the seed must be from 0 to 2**63 - 1; got 99999999999999999999"),
    (run("--target", ""), "no target named ''; there are: prediction, label"),
    (run("--device", ""), "device '' is not available here; use auto, cpu or cuda"),
    (run("--device", "meta"), "device 'meta' is not available here; use auto, cpu or cuda"),
    (run("--dtype", "float16"), "no dtype named 'float16'; there are: float32, float64"),
    (run("--batch-size", "1.5"), "batch size must be 'auto' or a number from 1; got '1.5'"),
    (run("--engine", "dask"), "no engine named 'dask'"),
    (run("--engine", ""), "no engine named ''"),
    (run("--jsonl", "x"), "No such option"),
    (run("--dataset", ""), "give a data set's name; got ''"),
    (run("--dataset", "image-folder:"), "data set 'image-folder' needs a path"),
    (run("--dataset", "image-folder:file"), "'file' is neither, expected a directory or a zip"),
    (run("--dataset", "image-folder:empty"), "'empty' has no class folders in 'test/'"),
    (run("--dataset", f"image-folder:{LONG}"), "cannot be read (File name too long)"),
    (run("--dataset", "image-folder:~nobody-here/x"), "'~nobody-here/x' starts with a home folder that there is not"),
    (run("--suite", ""), "no suite named ''"),
    (run("--suite", "missing.toml"), "no suite named 'missing.toml'"),
    (run("--suite", "broken.toml"), "suite 'broken.toml' is not TOML"),
    (run("--suite", "unknown.toml"), "suite 'unknown.toml' has metric = 'gini'; it may have: "),
    (run("--suite", "typed.toml"), "suite 'typed.toml' has samples = '2'; it may have: "),
    (run("--suite", "../suites/quick"), "no suite named '../suites/quick'; did you mean 'quick'?"),
    (run("--suite", "deep.toml"), "suite 'deep.toml' is not TOML"),
    (run("--suite", LONG), "cannot be read (File name too long); name another file"),
    (run("--models", ""), "no selected model is trained on digits"),
    (run("--models", "linear.standard["), "cannot read 'linear.standard['; write name or name[setting=value"),
    (run("--models", "x*"), "no model named 'x*'"),
    (run("--methods", ","), "no method is named in ','; give patterns with commas"),
    (run("--methods", "saliency["), "cannot read 'saliency['; write name or name[setting=value"),
    (run("--methods", "saliency]"), "cannot read 'saliency]'; write name or name[setting=value"),
    (run("--methods", "smoothgrad[sigma]"), "cannot read 'smoothgrad[sigma]'; write name or name[setting=value"),
    (run("--methods", "smoothgrad[sigma=-1]"), "setting 'sigma' of 'smoothgrad' must be at least 0; got '-1'"),
    (run("--methods", "smoothgrad[sigma=1e999]"), "setting 'sigma' of 'smoothgrad' must be"),
    (run("--methods", "smoothgrad[sigma=1,sigma=2]"), "has a setting twice; give each once"),
    (run("--methods", "gini"), "no method named 'gini'"),
    (run("--methods", "m" * 400), "no method named 'mmm"),
    (run("--methods", ""), "nothing to run: no selected metric judges the selected methods or models"),
    (run("--metrics", "deletion[steps=1_0]"), "setting 'steps' of 'deletion' must be int, as in steps=28; got '1_0'"),
    (run("--metrics", "deletion[steps=٣]"), "setting 'steps' of 'deletion' must be int, as in steps=28; got '٣'"),
    (run("--metrics", "deletion[steps=1000001]"), "setting 'steps' of 'deletion' must be at most 1000000, as every"),
    (run("--metrics", "agreement[other=nope]"), "no method named 'nope'"),
    (run("--perturbations", "sign_noise[eps=2]"), "setting 'eps' of 'sign_noise' must be from 0 to 1"),
    (run("--plugin", ""), "is not a Python file; give the path of a .py file"),
    (run("--plugin", "empty"), "is not a Python file; give the path of a .py file"),
    (run("--plugin", "note.txt"), "is not a Python file; give the path of a .py file"),
    (run("--plugin", f"{LONG}.py"), "is not a Python file; give the path of a .py file"),
    (run("--plugin", "nul.py"), "nul.py' has a syntax error: source code string cannot contain null bytes; mend it"),
    (run("--plugin", "bare.py"), "@method above 'own' needs parentheses; write @method()"),
    (run("--plugin", "number.py"), "'name' of method() must be a text or None; got 3"),
    (run("--plugin", "typo.py"), "method() got an unexpected keyword argument 'nam'; it takes: name, source, "),
    (run("--plugin", "versioned.py"), "'version' of method() must be a whole number; got '2'"),
    (run("--plugin", "zero.py"), "the version of method 'own' must be at least 1; got 0"),
    (run("--plugin", "long.py"), "is too long; give one of at most 120 bytes"),
    (run("--plugin", "asks.py"), "method 'own' asks for 'image', which the suite does not supply; it supplies: "),
    (run("--plugin", "needs.py"), "method 'own': setting 'k' needs a default"),
    (run("--plugin", "list.py"), "the default of setting 'k' must be a number, a bool, None, or a word"),
    (run("--plugin", "taken.py"), "two methods named 'saliency': "),
    (run("--plugin", "own.py", "--dataset", "number"), "data set 'number' must return Data(x, label, classes); got 3"),
    (run("--plugin", "own.py", "--dataset", "labels_too_large"), "labels must be from 0 to 3, the number of classes"),
    (run("--plugin", "own.py", "--dataset", "doubles"), "must be float32 (N, C, H, W), at least one; got float64"),
    (run("--plugin", "own.py", "--dataset", "out_of_range"), "data set 'out_of_range': images must be in [0, 1]; got"),
    (run("--plugin", "own.py", "--dataset", "counted"), "data set 'counted': classes must be a list of names; got 4"),
    (run("--plugin", "own.py", "--dataset", "named"), "data set 'named': there must be a whole number for each of 4"),
    (run("--plugin", "own.py", "--dataset", "raising"), "cannot be read: ValueError: no luck, in line 31 of '"),
    (run("--plugin", "own.py", "--models", "no_module"), "model 'no_module' must return an nn.Module; got int"),
    (run("--plugin", "own.py", "--models", "unbuilt"), "cannot be built: ValueError: no luck, in line 51 of '"),
    (("list", "nothing"), "no component named 'nothing'"),
    (("list", "methods", ""), "no method named ''"),
    (("list", "--write", "foo"), "--write writes the catalogue of all built-in components; give it alone"),
    (("submit-check", "."), "No published results in 'results/quick'; name their folder with --against"),
    (("list", "methods", "salienc"), "did you mean 'saliency'?"),
    (("list", "--plugin", "bare.py"), "@method above 'own' needs parentheses"),
    (("leaderboard",), "Missing argument 'FOLDER'"),
    (("leaderboard", ""), "a folder must have a name that can be shown; got ''"),
    (("leaderboard", "file"), "no run in 'file': it has no cells.csv"),
    (("leaderboard", "empty"), "no run in 'empty'"),
    (("leaderboard", LONG), "can be no folder of a run: File name too long"),
    (("status", ""), "a folder must have a name that can be shown; got ''"),
    (("status", "file"), "no run in 'file': it has no cells.csv"),
    (("status", "nowhere"), "no run in 'nowhere'"),
    (("publish", "empty"), "Missing argument 'TARGET'"),
    (("publish", "empty", "copy"), "no run in 'empty'"),
    (("publish", "nowhere", "copy"), "no run in 'nowhere'"),
    (("publish", "empty", ""), "a folder must have a name that can be shown; got ''"),
    (("publish", "empty", "empty"), "'empty' is the run 'empty' itself"),
    (("publish", "empty", "copy", "--without", "rules.toml"), "rules 'rules.toml' cannot be read: Invalid value"),
    (("publish", "empty", "copy", "--without", "nowhere.toml"), "rules 'nowhere.toml' cannot be read: [Errno 2]"),
    (("publish", "empty", "copy", "--without", "number.toml"), "rules 'number.toml' has copy = '3'; write tables"),
    (("publish", "empty", "copy", "--without", "table.toml"), "rules 'table.toml' has copy = "),
    (("publish", "empty", "copy", "--without", "words.toml"), "rules 'words.toml' has copy = "),
    (("publish", "empty", "copy", "--without", "deep.toml"), "rules 'deep.toml' cannot be read"),
    (("export", "empty"), "Missing option '--format'. Choose from: csv, parquet"),
    (TRAIN[:2], "Missing option '--dataset'"),
    ((*TRAIN, "--epochs", "0"), "0 is not in the range x>=1"),
    ((*TRAIN, "--seed", "-1"), "-1 is not in the range"),
    ((*TRAIN, "--device", "abacus"), "device 'abacus' is not available here"),
    ((*TRAIN, "--dataset", ""), "no dataset named ''"),
    ((*TRAIN, "--out", ""), "a folder must have a name that can be shown; got ''"),
    ((*TRAIN, "--out", "file"), "cannot write to 'file'"),
    ((*TRAIN, "--resume", "--out", "nothing"), "there is no checkpoint 'nothing/linear.standard@digits.checkpoint' to"),
    (("train", "no_weights", "--dataset", "digits", "--plugin", "own.py"), "must return the path of weights; got 3"),
    (("audit", "linear.standard", "--dataset", ""), "no dataset named ''"),
    (("audit", "linear.*"), "no model named 'linear.*'"),
    (("audit", "no_weights", "--plugin", "own.py"), "model 'no_weights' has 784 logits, and digits 10 classes"),
    (("check", "--plugin", "missing.py"), "is not a Python file"),
]  # fmt: skip


class Done(NamedTuple):
    status: int
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with everything in it that the command lines name."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Done:
    monkeypatch.setattr("sys.argv", ["xaiboard", *words])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return Done(int(caught.value.code or 0), capsys.readouterr().err)


@pytest.mark.parametrize(
    ("words", "sentence"), MISTAKES, ids=lambda part: " ".join(part)[-60:] if isinstance(part, tuple) else ""
)
def test_a_wrong_command_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    sentence: str,
) -> None:
    before = files_below(folder)
    done = call(words, monkeypatch, capsys)
    assert done.status == 2
    assert sentence in done.err, done.err
    assert done.err.startswith("xaiboard: ")
    assert done.err.count("\n") == 1
    assert files_below(folder) == before


@pytest.mark.parametrize("command", ["leaderboard", "status", "verify"])
def test_a_folder_that_nobody_may_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Said as the system says it: the tests may run as a user who may read everything."""

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    done = call((command, "empty"), monkeypatch, capsys)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "'empty' can be no folder of a run: Permission denied" in done.err


def test_mistakes_leave_no_component_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(xb.XaiboardError):
        xb.run(plugins="zero.py")
    assert "own" not in xb.methods
