"""Wrong calls from Python: each raises XaiboardError with one sentence, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xaiboard.benchmark as xb
from helpers import files_below
from torch import nn

SIDE, CLASSES = 8, 4
X = torch.rand(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
TARGET = torch.tensor([1, 2])
NET = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, CLASSES)).eval()
PAIR = nn.Linear(1, 1), nn.Linear(1, 1)


def own(x: torch.Tensor) -> torch.Tensor:
    return x


def another(function: Callable[..., Any]) -> Callable[..., Any]:
    """Another function of the same name."""

    def own(x: torch.Tensor) -> torch.Tensor:
        return function(x) + 1

    return own


def run(**changed: Any) -> Callable[[], object]:  # noqa: ANN401
    usual = {
        "dataset": "tiny",
        "models": {"net": NET},
        "methods": "sobel",
        "metrics": "gini",
        "samples": 2,
        "out": "out",
    }
    return lambda: xb.run(**{**usual, "out": "out", "progress": False, **changed})


def explain(*changed: object, **named: Any) -> Callable[[], object]:  # noqa: ANN401
    usual = (NET, "saliency", X, TARGET)
    given = [*changed, *usual[len(changed) :]]
    return lambda: xb.explain(*given, **named)  # pyright: ignore[reportArgumentType]


def load(*names: object, **named: Any) -> Callable[[], object]:  # noqa: ANN401
    return lambda: xb.load_data(*names, **named)  # pyright: ignore[reportArgumentType]


def call(kind: Any, name: str, *values: object, **named: object) -> Callable[[], object]:  # noqa: ANN401
    return lambda: kind[name](*values, **named)


def decorate(decorator: Callable[..., Any], function: object = own, **named: Any) -> Callable[[], object]:  # noqa: ANN401
    return lambda: decorator(**named)(function)


MODELS = "'models' of run() must be a text, a mapping, a list, a function or None; got "

MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "models=3": (run(models=3), f"{MODELS}3"),
    "models=b'cnn'": (run(models=b"cnn"), f"{MODELS}a bytes"),
    "models=Path": (run(models=Path("net.pt")), f"{MODELS}a pathlib.PosixPath"),
    "models=[3]": (run(models=[3]), "a model must be a pattern or an nn.Module; got 3"),
    "models=class": (run(models=nn.Linear), "a model must be a pattern or an nn.Module; got a type"),
    "models={1: net}": (run(models={1: NET}), "a mapping of models has texts for objects; got 1 for a torch"),
    "models={'a': pattern}": (run(models={"a": "cnn.standard"}), "got 'a' for 'cnn.standard'; give patterns in a list"),
    "models={'': net}": (run(models={"": NET}), "model name '' must have 1 to 120 bytes that can be shown"),
    "models={long: net}": (run(models={"n" * 300: NET}), "must have 1 to 120 bytes that can be shown"),
    "models={'ü' * 61: net}": (run(models={"ü" * 61: NET}), "must have 1 to 120 bytes that can be shown"),
    "models={two lines: net}": (run(models={"a\nb": NET}), r"model name 'a\nb' must have 1 to 120 bytes"),
    "models={surrogate: net}": (run(models={"\udcff": NET}), r"model name '\udcff' must have 1 to 120 bytes"),
    "models={comma: net}": (run(models={"a, b": NET}), "and no comma or bracket"),
    "models={bracket: net}": (run(models={"a[b]": NET}), "and no comma or bracket"),
    "models={registered: net}": (run(models={"cnn.standard": NET}), "model 'cnn.standard' is registered, and the mod"),
    "models=[]": (run(models=[]), "no selected model is trained on tiny"),
    "two models of one name": (run(models=list(PAIR)), "two models named 'Linear'; give a mapping of names"),
    "methods=3": (run(methods=3), "'methods' of run() must be a text, a mapping, a list, a function or None; got 3"),
    "methods=[None]": (run(methods=[None]), "method None is no named function; give a mapping of names"),
    "methods=lambda": (run(methods=lambda x: x), "method name '<lambda>' may have letters, digits"),
    "methods=module": (run(methods=NET), "method a torch.nn.modules.container.Sequential is no named function"),
    "methods={1: f}": (run(methods={1: own}), "a mapping of methods has texts for objects; got 1 for a function"),
    "methods={'a b': f}": (run(methods={"a b": own}), "method name 'a b' may have letters, digits"),
    "methods={long: f}": (run(methods={"m" * 121: own}), "is too long; give one of at most 120 bytes"),
    "two methods of one name": (run(methods=[own, another(own)]), "two methods named 'own'; give a mapping of names"),
    "methods=[]": (run(methods=[]), "nothing to run: no selected metric judges the selected methods"),
    "metrics=class": (run(metrics=dict), "metric 'dict' is a class; give a function"),
    "perturbations=f": (run(perturbations=own), "register 'own' with @perturbation, then name it"),
    "seed='a'": (run(seed="a"), "'seed' of run() must be a whole number; got 'a'"),
    "seed=True": (run(seed=True), "'seed' of run() must be a whole number; got True"),
    "seed=1.0": (run(seed=1.0), "'seed' of run() must be a whole number; got 1.0"),
    "seed=-1": (run(seed=-1), "the seed must be from 0 to 2**63 - 1; got -1"),
    "samples=1e9": (run(samples=1e9), "'samples' of run() must be a whole number or None; got 1000000000.0"),
    "keep=None": (run(keep=None), "'keep' of run() must be a whole number; got None"),
    "samples=True": (run(samples=True), "'samples' of run() must be a whole number or None; got True"),
    "device=None": (run(device=None), "'device' of run() must be a text or a torch device; got None"),
    "dtype=torch.float32": (run(dtype=torch.float32), "'dtype' of run() must be a text; got a torch.dtype"),
    "dtype='float16'": (run(dtype="float16"), "no dtype named 'float16'; there are: float32, float64"),
    "target=3": (run(target=3), "'target' of run() must be a text; got 3"),
    "batch_size=None": (run(batch_size=None), "'batch_size' of run() must be a whole number or a text; got None"),
    "batch_size=0": (run(batch_size=0), "batch size must be 'auto' or a number from 1; got '0'"),
    "plugins=None": (run(plugins=None), "'plugins' of run() must be a text, a pathlib Path or a list whose items are"),
    "plugins=[3]": (run(plugins=[3]), "'plugins' of run() must be"),
    "out=''": (run(out=""), "a folder must have a name that can be shown; got ''"),
    "out=3": (run(out=3), "'out' of run() must be a text, a pathlib Path or None; got 3"),
    "out=nul": (run(out="a\0b"), r"a folder must have a name that can be shown; got 'a\x00b'"),
    "reuse=''": (run(reuse=""), "a folder must have a name that can be shown; got ''"),
    "engine=None": (run(engine=None), "'engine' of run() must be a text; got None"),
    "suite=3": (run(suite=3), "'suite' of run() must be a text or a pathlib Path; got 3"),
    "dataset=[]": (run(dataset=["tiny"]), "'dataset' of run() must be a text or None; got ['tiny']"),
    "progress='no'": (run(progress="no"), "'progress' of run() must be True or False; got 'no'"),
    "an unknown argument": (run(modls=3), "run() got an unexpected keyword argument 'modls'; it takes: suite, datase"),
    "unnamed arguments": (lambda: xb.run("quick", "tiny"), "run() too many positional arguments; "),  # pyright: ignore
    "explain a name": (explain("cnn.standard"), "'model' of explain() must be a torch Module; got 'cnn.standard'"),
    "explain by 3": (explain(NET, 3), "method 3 is no named function; give a mapping of names"),
    "explain by two": (explain(NET, "saliency,random"), "'saliency,random' names 2 methods; explain() takes one"),
    "explain by none": (explain(NET, ""), "'' names 0 methods; explain() takes one"),
    "explain numpy": (explain(NET, own, X.numpy()), "'x' of explain() must be a torch Tensor; got a numpy.ndarray"),
    "explain uint8": (explain(NET, own, X.byte()), "x must hold floating point numbers in [0, 1]; got uint8 (2, 1, 8"),
    "explain integers": (explain(NET, own, X.long()), "x must hold floating point numbers in [0, 1]; got int64"),
    "explain sparse": (explain(NET, own, X.to_sparse()), "x must hold floating point numbers in [0, 1]; got sparse"),
    "explain meta": (explain(NET, own, X.to("meta")), "x and target must hold values; got x on the device 'meta', whi"),
    "explain for meta": (explain(NET, own, X, TARGET.to("meta")), "must hold values; got target on the device 'meta'"),
    "explain one image": (explain(NET, own, X[0]), "x must be images (B, C, H, W) or vectors (B, F); got shape (1, 8"),
    "explain no image": (explain(NET, own, X[:0]), "got shape (0, 1, 8, 8)"),
    "explain NaN": (explain(NET, own, X * float("nan")), "x must be finite; got 128 values that are not"),
    "explain another size": (explain(NET, own, X[..., :4]), "it raises on images of shape (1, 8, 4)"),
    "explain maps": (explain(nn.Conv2d(1, 1, 3)), "it returns torch.float32 of shape (2, 1, 6, 6) for 2 images"),
    "explain a list": (explain(NET, own, X, [1, 2]), "'target' of explain() must be a torch Tensor; got [1, 2]"),
    "explain for None": (explain(NET, own, X, None), "'target' of explain() must be a torch Tensor; got None"),
    "explain one target": (explain(NET, own, X, TARGET[:1]), "target must be a class for each input, int64 (2,); got"),
    "explain fractions": (explain(NET, own, X, TARGET.float()), "int64 (2,); got float32 (2,)"),
    "explain booleans": (explain(NET, own, X, TARGET > 1), "int64 (2,); got bool (2,)"),
    "explain a column": (explain(NET, own, X, TARGET[:, None]), "int64 (2,); got int64 (2, 1)"),
    "explain class 5": (explain(NET, own, X, TARGET + 3), "target must be from 0 to 3, the model's classes; got 5"),
    "explain class -1": (explain(NET, own, X, TARGET - 2), "target must be from 0 to 3, the model's classes; got -1"),
    "explain seed=-1": (explain(seed=-1), "the seed must be from 0 to 2**63 - 1; got -1"),
    "explain sigma='a'": (explain(NET, "smoothgrad", sigma="a"), "setting 'sigma' of 'smoothgrad' must be float"),
    "explain reference=3": (explain(reference=3), "'reference' of explain() must be a xaiboard Reference or None; go"),
    "explain nothing": (partial(xb.explain, *[NET]), "explain() missing a required argument: 'method'"),
    "a split": (load("digits", split="x"), "no split named 'x'; there are: train, test"),
    "a split of None": (load("digits", split=None), "'split' of load_data() must be a text; got None"),
    "1.5 samples": (load("digits", samples=1.5), "'samples' of load_data() must be a whole number or None; got 1.5"),
    "a path as data": (load(Path("images")), "'name' of load_data() must be a text; got a pathlib.PosixPath"),
    "a split without its name": (load("digits", "test"), "load_data() too many positional arguments"),
    "a model of other data": (
        lambda: xb.load_model("lipcnn.hkr", dataset="digits-0-8"), "model 'lipcnn.hkr' is not trained on digits-0-8"),
    "a model of no data": (partial(xb.load_model, "lipcnn.hkr"), "needs the data set on which it was trained; give"),
    "model 3": (lambda: xb.load_model(3, dataset="digits"), "'name' of load_model() must be a tex"),  # pyright: ignore
    "metric 3": (lambda: xb.metrics[3], "no metric named '3'"),  # pyright: ignore
    "a metric of nothing": (call(xb.metrics, "gini"), "'gini' needs 'attribution'; it has: attribution"),
    "a metric without names": (call(xb.metrics, "gini", X), "'gini' takes values by name; it has: attribution"),
    "a metric of 3": (call(xb.metrics, "gini", attribution=3), "'attribution' of 'gini' must be a torch.Tensor; got 3"),
    "a metric of more": (call(xb.metrics, "gini", attribution=X, k=3), "'gini' has no parameter 'k'; it has: attribu"),
    "a method of less": (call(xb.methods, "saliency", model=NET, x=X), "'saliency' needs 'target'; it has: model, x"),
    "a perturbation of nothing": (call(xb.perturbations, "sign_noise"), "'sign_noise' needs 'x'; it has: x"),
    "@method": (lambda: xb.method(own), "@method above 'own' needs parentheses; write @method()"),  # pyright: ignore
    "@metric": (lambda: xb.metric(own), "@metric above 'own' needs parentheses; write @metric()"),  # pyright: ignore
    "@section": (lambda: xb.section(own), "@section above 'own' needs parentheses; write @section"),  # pyright: ignore
    "a metric of no family": (decorate(xb.metric, higher_is_better=True), "metric() missing a required argument: 'fa"),
    "a direction in words": (
        decorate(xb.metric, family="own", higher_is_better="yes"), "must be True or False or None; got 'yes'"),
    "columns that are none": (
        decorate(xb.metric, family="own", higher_is_better=True, columns={"a": True}), "'columns' of metric() must be"),
    "a version in words": (decorate(xb.method, version="1"), "'version' of method() must be a whole number; got '1'"),
    "version 0": (decorate(xb.method, version=0), "the version of method 'own' must be at least 1; got 0"),
    "a role, not roles": (decorate(xb.method, roles="curve"), "'roles' of method() must be a list whose items are ea"),
    "a constant in words": (decorate(xb.model, family="own", lipschitz="1"), "'lipschitz' of model() must be a numbe"),
    "a method that is 3": (decorate(xb.method, 3), "method 3 is no named function; decorate a function, or give a na"),
    "a shared partial": (
        decorate(xb.metric, family="own", higher_is_better=True, shared=[partial(own)]), "partial is no named"),
    "a method in C": (decorate(xb.method, max), "method 'max' has no signature to read; wrap it"),
    "a partial": (decorate(xb.method, partial(own)), "method a functools.partial is no named function"),
    "data of arrays": (
        lambda: xb.Data(np.zeros((1, 1, 8, 8)), TARGET[:1], ["a"]), "'x' of Data must be a torch "),  # pyright: ignore
    "a reference of 3": (lambda: xb.Reference(3, X), "'mean' of Reference must be a torch Tensor;"),  # pyright: ignore
    "results of nothing": (lambda: xb.Results("nowhere").cells, "no run in 'nowhere'"),
    "a check of 3": (lambda: xb.check(3), "'plugins' of check() must be a text, a pathlib Path or"),  # pyright: ignore
    "a check of no file": (lambda: xb.check("missing.py"), "missing.py' is not a Python file"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_call(name: str, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wrong, sentence = MISTAKES[name]
    with pytest.raises(xb.XaiboardError) as caught:
        wrong()
    said = str(caught.value)
    assert sentence in said
    assert "\n" not in said
    assert files_below(tmp_path) == {}
    assert "own" not in {*xb.methods, *xb.metrics, *xb.models}


def explained(**changed: Any) -> torch.Tensor:  # noqa: ANN401
    return xb.explain(**{"model": NET, "method": "saliency", "x": X, "target": TARGET, **changed})


@pytest.mark.parametrize(
    "changed",
    [{"x": X.double(), "model": nn.Sequential(nn.Flatten(), nn.Linear(64, 4)).double()}, {"target": TARGET.int()},
     {"target": TARGET.to(torch.uint8)},
     {"seed": np.int64(3)}, {"x": X.flatten(1)}, {"method": own}, {"x": X.requires_grad_()}],
)  # fmt: skip
def test_what_is_unusual_and_right_is_explained(changed: dict[str, Any]) -> None:
    assert explained(**changed).shape == changed.get("x", X).shape


@pytest.mark.parametrize(
    "changed",
    [{"seed": np.int64(3)}, {"samples": np.int32(2)}, {"device": torch.device("cpu")}, {"models": [NET]},
     {"models": (model for model in [NET])}, {"models": NET}, {"methods": (name for name in ["sobel", "random"])},
     {"methods": {"sobel", "random"}}, {"methods": {"ünser": own}}, {"methods": [own, own]}, {"perturbations": {}},
     {"models": {"=1+1 <b>": NET}}, {"batch_size": "2"}],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_what_is_unusual_and_right_is_run(
    changed: dict[str, Any], tiny: str, quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    finished = run(**changed)()
    assert isinstance(finished, xb.Run)
    assert set(finished.cells["status"]) == {"ok"}
    names = (
        set(changed["models"]) if isinstance(changed.get("models"), dict) else set(finished.cells["model"])
    )
    assert set(finished.leaderboard["model"]) == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "has no shape or classes"),
        ('{"shape": [4]}', "has no shape or classes"),
        ("[]", "is damaged (it holds list, not an object)"),
        ("[" * 10_000, "is damaged (its brackets are nested too deeply)"),
        ('{"shape": 3, "classes": 2}', "is damaged (its 'shape' is 3)"),
        ('{"shape": [1, "a"], "classes": 2}', "is damaged (its 'shape' is [1, 'a'])"),
        ('{"shape": [1e999], "classes": 2}', "is damaged (its 'shape' is [inf])"),
        ('{"shape": [4], "classes": true}', "is damaged (its 'classes' is True)"),
        ('{"shape": [4], "classes": 0}', "is damaged (its 'classes' is 0)"),
        ('{"accuracy": []}', "is damaged (its 'accuracy' is [])"),
    ],
)
def test_a_card_of_another_shape(tmp_path: Path, text: str, said: str) -> None:
    @xb.model(family="own", weights=str(tmp_path / "net.safetensors"), dataset="digits")
    def carded() -> nn.Module:
        return NET

    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(xb.XaiboardError) as error:
        xb.load_model("carded", dataset="digits")
    assert str(error.value).startswith(f"card '{path}' {said}")
    assert "; restore it" in str(error.value)
