"""A component may do anything to networks and to torch: other cells' scores stay byte for byte, and its own say it."""

from __future__ import annotations

import asyncio
import builtins
import math
import os
import random
import sys
import tempfile
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from threading import Event, Thread
from typing import Any

import captum.attr
import numpy as np
import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from xaiboard.benchmark.components.decorators import make_method
from xaiboard.benchmark.engine import batching
from xaiboard.benchmark.engine.isolation import Guard
from xaiboard.benchmark.engine.library_functions import Functions
from xaiboard.benchmark.engine.snapshot import Snapshot
from xaiboard.benchmark.engine.torch_state import Modes, Settings
from xaiboard.benchmark.subjects import outputs

GAIN = {"factor": 1.0}


class Settled:
    """Something that a network holds and that nobody looks into."""

    __slots__ = ("factor",)

    def __init__(self) -> None:
        self.factor = 1.0


class Net(nn.Module):
    """Its output depends on all that careless code changes: modes, buffers, attributes, a global variable."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(4 * 36, 4)
        )
        self.scales: list[Any] = [1.0, {"of inputs": 1.0}]
        self.settled = Settled()
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return (
            self.body(x * self.scales[1]["of inputs"]) * self.scales[0] * GAIN["factor"] * self.settled.factor
        )


Spoil = Callable[[Net], object]


def zero(model: Net) -> None:
    for parameter in model.parameters():
        parameter.data.zero_()


def hook(model: Net) -> None:
    model.body[2].register_forward_hook(lambda module, given, output: output.clamp(max=0.1))


def hook_backward(model: Net) -> None:
    model.body[2].register_full_backward_hook(lambda module, given, taken: (2 * given[0],))


def replace_functions(model: Net) -> None:
    functional.relu = functional.gelu
    torch.einsum = torch.autograd.grad = lambda *given, **named: given[0]
    setattr(nn.ReLU, "forward", nn.GELU.forward)  # noqa: B010 - no class of torch's is meant to change
    setattr(captum.attr.Saliency, "attribute", lambda self, x, *given, **named: x)  # noqa: B010


def set_flags(model: Net) -> None:
    torch.backends.cudnn.benchmark = True
    torch._C._set_mkldnn_enabled(False)
    torch.set_flush_denormal(True)
    torch.backends.cuda.enable_flash_sdp(False)


class Doubles(TorchFunctionMode):
    """Twice what any function of torch returns."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        returned = func(*args, **(kwargs or {}))
        return 2 * returned if isinstance(returned, Tensor) else returned


MODEL: dict[str, tuple[Spoil, str]] = {
    "training mode": (lambda model: model.train(), "changed the training mode of 'model' and 7 more"),
    "weights": (zero, "changed the values of 'model.body.0.bias' and 5 more"),
    "buffer": (
        lambda model: model.body[1].get_buffer("running_var").mul_(9),
        "changed the values of 'model.body.1.running_var'",
    ),
    "dtype": (lambda model: model.double(), "changed the dtype, device or shape of 'model.body.0.bias' and 5 more"),
    "requires_grad": (
        lambda model: model.requires_grad_(False), "changed requires_grad of 'model.body.0.bias' and 5 more"
    ),
    "hook": (hook, "changed the hooks of 'model.body.2'"),
    "backward hook": (hook_backward, "changed the hooks of 'model.body.2'"),
    "attribute": (lambda model: setattr(model.body[1], "eps", 3.0), "changed the attribute 'model.body.1.eps'"),
    "list": (lambda model: model.scales.__setitem__(0, 2.0), "changed 'model.scales'"),
    "dict": (
        lambda model: model.scales[1].update({"of inputs": 2.0}),
        "changed the attribute 'model.scales[1].of inputs'",
    ),
    "layer": (lambda model: model.body.__setitem__(2, nn.GELU()), "replaced 'model.body.2'"),
    "class": (lambda model: setattr(model.body[2], "__class__", nn.GELU), "changed 'model.body.2'"),
    "forward": (lambda model: setattr(model, "forward", model.body.forward), "changed the attribute 'model.forward'"),
    "global variable": (lambda model: GAIN.update(factor=2.0), "changed the attribute 'GAIN.factor'"),
}  # fmt: skip

TORCH: dict[str, tuple[Spoil, str]] = {
    "default dtype": (lambda model: torch.set_default_dtype(torch.float64), "changed torch's default dtype"),
    "gradients": (lambda model: torch.set_grad_enabled(False), "changed whether torch records gradients"),
    "threads": (lambda model: torch.set_num_threads(torch.get_num_threads() + 1), "changed torch's number of threads"),
    "deterministic": (
        lambda model: torch.use_deterministic_algorithms(True), "changed torch's deterministic mode"
    ),
    "precision": (
        lambda model: torch.set_float32_matmul_precision("medium"), "changed torch's flag float32_matmul_precision"
    ),
    "flags": (
        set_flags,
        "changed torch's flag cudnn_benchmark, changed torch's flag mkldnn_enabled, changed torch's flag flash_sdp,"
        " changed whether torch flushes small numbers to 0",
    ),
    "mode": (lambda model: Doubles().__enter__(), "left a mode of torch open"),
    "autocast": (lambda model: torch.set_autocast_enabled("cpu", True), "changed torch's autocast"),
    "anomalies": (lambda model: torch.autograd.set_detect_anomaly(True), "changed torch's anomaly detection"),
    "default device": (lambda model: torch.set_default_device("meta"), "changed torch's default device"),
    "hooks of all": (
        lambda model: nn.modules.module.register_module_forward_hook(lambda module, given, output: output * 2),
        "changed torch's hooks of all layers",
    ),
    "functions": (
        replace_functions,
        "replaced 'torch.einsum', replaced 'torch.autograd.grad', replaced 'torch.nn.functional.relu',"
        " replaced 'Saliency.attribute', replaced 'ReLU.forward'",
    ),
    "folder": (lambda model: os.chdir("/"), "changed the working folder"),
    "NumPy": (lambda model: np.seterr(all="raise"), "changed NumPy's error handling"),
}  # fmt: skip


def rewrite(model: Net) -> None:
    functional.softmax.__code__ = (lambda input, dim=None, _stacklevel=3, dtype=None: input).__code__
    captum.attr.Saliency.attribute.__wrapped__.__code__ = careless.__code__  # pyright: ignore[reportFunctionMemberAccess]
    (xb.metrics["deletion"].function.__kwdefaults__ or {})["steps"] = 3
    nn.ReLU.forward.__defaults__ = (None,)


def replace_python(model: Net) -> None:
    math.sqrt = math.exp
    random.random = lambda: 0.5
    builtins.sum = max
    for table in (pd.Series, pd.DataFrame):
        setattr(table, "mean", lambda self, *given, **named: 0.0)  # noqa: B010 - no class of pandas is meant to change


def set_constants(model: Net) -> None:
    batching.AUTO["cpu"] = 3
    setattr(outputs, "MARGIN", 1e9)  # noqa: B010 - a constant


def lose_the_folder(model: Net) -> None:
    folder = Path(tempfile.mkdtemp())
    os.chdir(folder)
    folder.rmdir()


PYTHON: dict[str, tuple[Spoil, str]] = {
    "code": (
        rewrite,
        "rewrote 'captum.attr._core.saliency.Saliency.attribute', rewrote 'torch.nn.functional.softmax',"
        " rewrote 'torch.nn.modules.activation.ReLU.forward', rewrote 'xaiboard.metrics.deletion.deletion'",
    ),
    "Python": (
        replace_python,
        "replaced 'builtins.sum', replaced 'math.sqrt', replaced 'random.random', replaced 'Series.mean',"
        " replaced 'DataFrame.mean'",
    ),
    "constants": (
        set_constants,
        "replaced 'xaiboard.benchmark.subjects.outputs.MARGIN', changed the attribute"
        " 'xaiboard.benchmark.engine.batching.AUTO.cpu'",
    ),
    "warnings": (lambda model: warnings.simplefilter("error"), "changed which warnings are errors"),
    "modules": (lambda model: sys.path.clear(), "changed Python's folders of modules"),
    "environment": (lambda model: os.environ.update(PATH="/"), "changed the environment's variables"),
    "lost folder": (lose_the_folder, "changed the working folder"),
}

SPOILT = MODEL | TORCH | PYTHON


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_changed_is_found_and_put_back(name: str) -> None:
    """By itself: whatever is left after this test would spoil the others."""
    spoil, said = SPOILT[name]
    model = Net().eval()
    x = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    before = model(x)
    kept = Modes(), Settings(), Functions({"model": model}), Snapshot({"model": model})
    assert [each.changes() for each in kept] == [[], [], [], []]
    found: list[str] = []
    try:
        spoil(model)
    finally:
        for each in kept:
            found += each.changes()
            each.put_back()
    assert said in ", ".join(found)
    assert [each.changes() for each in kept] == [[], [], [], []]
    assert torch.equal(model(x), before)


def careless(name: str, *, fails: bool = False) -> Callable[..., Tensor]:
    def method(model: Net, x: Tensor) -> Tensor:
        SPOILT[name][0](model)
        if fails:
            raise ValueError("half way")
        return x

    method.__name__ = name.replace(" ", "_")
    return method


def run(out: Path, methods: Sequence[object], metrics: Sequence[object], **changed: object) -> xb.Run:
    with torch.random.fork_rng():
        given = {"models": {"net": Net(), "other": Net()}, "dataset": "tiny", "perturbations": "sign_noise"}
    return xb.run(**{**given, **changed}, methods=methods, metrics=metrics, out=out, progress=False)


def test_a_thread_that_goes_on_is_said() -> None:
    stop = Event()

    def starts(x: Tensor) -> Tensor:
        Thread(target=stop.wait, name="goes on").start()
        model.train()
        return x

    model = Net().eval()
    guard = Guard({"model": model}, 0, lambda: None)
    try:
        guard.call("method", make_method(starts), {"x": torch.zeros(1)}, {})
    finally:
        stop.set()
    assert guard.note(["method 'starts'"]) == (
        "method 'starts' changed the training mode of 'model' and 7 more: put back for all others;"
        " method 'starts' left the thread 'goes on' running"
    )


METHODS = ["saliency", "smoothgrad[draws=4]", "random"]
METRICS = ["deletion.*[steps=4,orders=2]", "max_sensitivity[draws=2]", "lens_recall[k=10]", "gradient_norm"]


def scores(finished: xb.Run) -> bytes:
    """Scores of the components above, byte for byte."""
    table = finished.scores
    names = [text.partition("[")[0].partition(".")[0] for text in METRICS]
    known = table["method"].isin([*METHODS, ""]) & table["metric"].str.partition(".")[0].isin(names)
    order = ["model", "method", "metric", "settings", "perturbation", "sample"]
    return table[known].sort_values(order)["score"].to_numpy().tobytes()


@pytest.fixture(scope="module")
def undisturbed() -> list[bytes]:
    return []


@pytest.fixture
def alone(tiny: str, undisturbed: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The scores of the components above without a careless one beside them: of one run, which all tests share."""
    if not undisturbed:
        undisturbed.append(scores(run(tmp_path_factory.mktemp("alone"), METHODS, METRICS)))
    return undisturbed[0]


class Maker(OrderedDict[str, type]):
    """Makes an object when it is asked for one, as the activations of Hugging Face's networks do."""

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401
        return super().__getitem__(key)()


def test_a_dict_is_put_back_with_what_it_holds_not_with_what_it_makes() -> None:
    model = Net()
    makers = model.scales[1]["makers"] = Maker(relu=nn.ReLU, gelu=nn.GELU)
    before = Snapshot({"model": model})
    assert before.changes() == []
    makers["relu"] = nn.SiLU
    assert before.changes() == ["changed the attribute 'model.scales[1].makers.relu'"]
    before.put_back()
    assert list(makers.items()) == [("relu", nn.ReLU), ("gelu", nn.GELU)]
    assert before.changes() == []


@pytest.mark.usefixtures("tiny")
def test_scores_beside_careless_methods_are_those_without_them(tmp_path: Path, alone: bytes) -> None:
    vandals = {name.replace(" ", "_"): careless(name) for name in SPOILT}
    beside = run(tmp_path / "beside", [*vandals.values(), *METHODS], METRICS)
    assert scores(beside) == alone
    assert not len(beside.failed)
    notes = beside.cells.query("metric == 'deletion'").groupby("method")["note"].agg(set)
    for name, (_, said) in SPOILT.items():
        (note,) = notes[name.replace(" ", "_")]
        assert note.startswith(f"method '{name.replace(' ', '_')}' ")
        assert said in note
        assert note.endswith(": put back for all others")
    assert all(notes[name] == {""} for name in METHODS)
    board = beside.leaderboard.query("method == 'threads'")["note"]
    assert board.str.contains("method 'threads' changed torch's number of threads").all()
    assert board.str.contains("samples left out").any()


@pytest.mark.usefixtures("tiny", "quick")
@pytest.mark.parametrize("name", ["hook", "weights", "threads"])
def test_a_method_that_raises_half_way(tmp_path: Path, alone: bytes, name: str) -> None:
    beside = run(tmp_path / "beside", [careless(name, fails=True), *METHODS], METRICS)
    assert scores(beside) == alone
    said = f"ValueError: half way; method '{name}' {SPOILT[name][1]}"
    assert beside.failed["note"].str.startswith(said).all()
    assert set(beside.failed["method"]) == {name}


@pytest.mark.usefixtures("tiny")
def test_careless_metrics_perturbations_and_shared_values(tmp_path: Path, alone: bytes) -> None:
    def in_between(model: Net, x: Tensor) -> Tensor:
        model.train()
        return x.flatten(1).mean(1)

    @xb.metric(family="own", higher_is_better=None, shared=[in_between])
    def slope(model: Net, attribution: Tensor, in_between: Tensor) -> Tensor:
        zero(model)
        torch.set_default_dtype(torch.float64)
        return attribution.flatten(1).sum(1) + in_between

    @xb.perturbation()
    def brighter(model: Net, x: Tensor) -> Tensor:
        hook(model)
        return (x + 0.1).clamp(0, 1)

    given = {"perturbations": "brighter,sign_noise"}
    beside = run(tmp_path / "beside", METHODS, ["slope", *METRICS], **given)
    own = beside.scores["perturbation"].str.startswith("brighter")
    assert own.any()
    kept = xb.Run(beside.folder)
    kept.results.scores = beside.scores[~own]
    assert scores(kept) == alone
    notes = beside.cells.set_index("metric")["note"]
    assert set(notes["slope"]) == {
        "metric 'slope' changed torch's default dtype, changed the values of 'model.body.0.bias' and 5 more;"
        " shared value 'in_between' changed the training mode of 'model' and 7 more: put back for all others"
    }
    assert "perturbation 'brighter' changed the hooks of 'model.body.2': put back for all others" in set(
        notes["lens_recall"]
    )


@pytest.mark.usefixtures("tiny", "quick")
def test_what_a_metric_changes_while_it_asks_for_explanations_is_there_while_it_does(tmp_path: Path) -> None:
    """A check of sanity: other weights, another map; the method that explains is not blamed."""

    def shift(model: Net, x: Tensor, attribution: Tensor, explain: Callable[[Tensor], Tensor]) -> Tensor:
        before = {name: value.clone() for name, value in model.state_dict().items()}
        zero(model)
        shifted = explain(x)
        again = explain(x)
        model.load_state_dict(before)
        assert torch.equal(shifted, again)
        return (shifted - attribution).flatten(1).abs().sum(1)

    def logits(model: Net, x: Tensor) -> Tensor:
        return x * model(x).sum(1)[:, None, None, None]

    finished = run(tmp_path, [logits], [shift])
    assert (finished.scores["score"] > 0).all()
    assert set(finished.cells["note"]) == {""}


def streams() -> list[str]:
    """Where torch, NumPy and Python are in their random numbers."""
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002
    return [
        torch.get_rng_state().numpy().tobytes().hex(),
        repr(numpy["state"]["key"].tolist()),
        repr(random.getstate()),
    ]


@pytest.mark.usefixtures("tiny", "quick")
def test_random_numbers_of_a_component_are_its_own(tmp_path: Path) -> None:
    """Neither does another component change them, nor does it change those of the program."""

    def draws(x: Tensor) -> Tensor:
        return torch.rand_like(x) + np.random.random() + random.random()  # noqa: NPY002

    def seeds(x: Tensor) -> Tensor:
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        return x

    models = {"net": Net()}
    before = streams()
    alone = run(tmp_path / "alone", [draws], ["gini"], models=models)
    beside = run(tmp_path / "beside", [seeds, draws], ["gini"], models=models)
    values = [each.scores.query("method == 'draws'")["score"].tolist() for each in (alone, beside)]
    assert values[0] == values[1]
    other = run(tmp_path / "other", [draws], ["gini"], models=models, seed=1)
    assert other.scores["score"].tolist() != values[0]
    assert streams() == before


@pytest.mark.usefixtures("tiny", "quick")
def test_whatever_a_component_raises_costs_its_own_cells(tmp_path: Path) -> None:
    """Also what is no ordinary error, and would end a program; an interruption of the user's alone ends the run."""

    def leaves(x: Tensor) -> Tensor:
        sys.exit(3)

    def stops(x: Tensor) -> Tensor:
        raise GeneratorExit("no more")

    def recurses(x: Tensor) -> Tensor:
        def again() -> Tensor:
            return again()

        return again()

    def fills(x: Tensor) -> Tensor:
        raise MemoryError

    def cancels(attribution: Tensor) -> Tensor:
        raise asyncio.CancelledError

    def applies(model: nn.Module) -> None:
        raise GeneratorExit

    @xb.method(applies=applies)
    def decides(x: Tensor) -> Tensor:
        return x

    methods = [leaves, stops, recurses, fills, "decides", "random"]
    finished = run(tmp_path, methods, ["gini", cancels], models={"net": Net()})
    cells = finished.cells.set_index(["method", "metric"])
    assert cells.loc[("random", "gini"), "status"] == "ok"
    assert cells.loc[("random", "cancels"), "note"] == "metric 'cancels' raised CancelledError"
    notes = {
        "leaves": "method 'leaves' ended the program with exit status 3",
        "stops": "method 'stops' raised GeneratorExit: no more",
        "recurses": "RecursionError: maximum recursion depth exceeded",
        "fills": "one sample alone does not fit into memory; use a smaller model;"
        " method 'fills' ran out of memory and got smaller batches: put back for all others",
        "decides": "'applies' or 'verify' of 'decides' raised GeneratorExit",
    }
    for name, note in notes.items():
        assert cells.loc[[name], "note"].unique().tolist() == [note]

    def interrupts(x: Tensor) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [interrupts], ["gini"])


@pytest.mark.usefixtures("tiny", "quick")
def test_what_cannot_be_put_back_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    def settles(model: Net, x: Tensor) -> Tensor:
        model.settled.factor = -2.0
        return x

    with pytest.raises(
        xb.XaiboardError, match=r"model 'net' no longer computes what it did .*: method 'settles' has"
    ):
        run(tmp_path / "run", [settles, "saliency"], METRICS)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("tiny", "quick")
def test_nothing_more_is_computed_on_a_network_that_changed_in_the_middle(tmp_path: Path) -> None:
    calls: list[int] = []

    def settles_late(model: Net, x: Tensor) -> Tensor:
        calls.append(len(x))
        if calls.count(12) > 1:  # once for the first network, with all samples
            model.settled.factor = -2.0
        return x

    xb.method(name="late")(settles_late)
    finished = run(tmp_path, ["random", "late", "saliency"], ["gini", "gradient_norm"])
    columns = zip(*(finished.cells[name] for name in ("model", "method", "status")), strict=True)
    failed = {(model, method) for model, method, status in columns if status == "failed"}
    assert failed == {("other", "late"), ("other", "saliency")}
    assert (
        finished.failed["note"].str.contains("'other' no longer computes .*: method 'late' has changed").all()
    )


@pytest.mark.usefixtures("tiny", "quick")
def test_what_a_network_itself_does_is_nobody_s_fault(tmp_path: Path) -> None:
    class Counts(Net):
        def __init__(self) -> None:
            super().__init__()
            self.calls, self.last = 0, None
            self.slopes: dict[str, Tensor] = {}
            self.body[2].register_full_backward_hook(
                lambda module, given, taken: self.slopes.update(last=given[0])
            )

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            self.last = super().forward(x)
            return self.last

    def asks(model: Net, x: Tensor) -> Tensor:
        x.requires_grad_()
        return torch.autograd.grad(model(x).sum(), x)[0]

    finished = run(tmp_path, [asks], ["gini"], models={"net": Counts()})
    assert set(finished.cells["status"]) == {"ok"}
    assert set(finished.cells["note"]) == {""}


@pytest.mark.usefixtures("tiny", "quick")
def test_a_network_that_drifts_by_itself_has_no_scores_from_then_on(tmp_path: Path) -> None:
    calls: list[int] = []

    class Drifts(Net):
        def __init__(self, steady: float) -> None:
            super().__init__()
            self.steady = steady

        def forward(self, x: Tensor) -> Tensor:
            calls.append(len(x))
            return super().forward(x) * (1 if len(calls) < self.steady else 1.01)

    def table(name: str, steady: float) -> pd.DataFrame:
        calls.clear()
        with torch.random.fork_rng():
            models = {"net": Drifts(steady)}
        finished = run(
            tmp_path / name, ["saliency", "smoothgrad[draws=4]"], ["gradient_norm", "gini"], models=models
        )
        return finished.cells.merge(
            finished.scores.groupby("method")["score"].mean(), on="method", how="left"
        )

    steady = table("steady", inf)
    late = table("late", len(calls) - 8)
    assert steady["status"].tolist() == ["ok"] * 3
    assert late["status"].tolist() == ["ok", "failed", "failed"]
    assert late["note"][2].startswith(
        "model 'net' no longer computes what it did when the run began: its logits must"
    )
    assert late["score"][0] == steady["score"][0]


@pytest.mark.usefixtures("tiny", "quick")
def test_a_built_in_method_that_raises_leaves_no_hook(
    tmp_path: Path, alone: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = xb.methods["deconvnet"]

    def breaks(model: Net, x: Tensor, target: Tensor) -> Tensor:
        hook(model)
        raise RuntimeError("no luck")

    breaks.__module__ = entry.function.__module__
    monkeypatch.setattr(
        xb.methods,
        "_entries",
        {
            **xb.methods._entries,
            "deconvnet": type(entry)("deconvnet", breaks, supplied=("model", "x", "target")),
        },
    )
    beside = run(tmp_path / "beside", ["deconvnet", *METHODS], METRICS)
    assert set(beside.failed["method"]) == {"deconvnet"}
    assert scores(beside) == alone


@pytest.mark.usefixtures("tiny", "quick")
def test_code_outside_cells_is_put_right_too(
    tmp_path: Path, alone: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """What says whether a method applies, and what a plug-in does when it is loaded."""
    asked: list[str] = []

    def applies(model: Net) -> None:
        asked.append("applies")
        zero(model)

    def verify(model: Net, x: Tensor, target: Tensor, settings: Mapping[str, Any]) -> None:
        asked.append("verify")
        model.train()
        torch.set_num_threads(torch.get_num_threads() + 1)

    @xb.method(applies=applies)
    def decides(x: Tensor) -> Tensor:
        return x

    @xb.method(verify=verify)
    def verifies(x: Tensor) -> Tensor:
        return x

    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "import captum.attr\nimport torch\nimport xaiboard.benchmark as xb\n\ntorch.set_default_dtype(torch.float64)\n"
        "captum.attr.Saliency.attribute = lambda self, x, **given: x\n\n\n"
        "@xb.method()\ndef of_a_file(x):\n    return x\n"
    )
    beside = run(
        tmp_path / "beside", ["decides", "verifies", "of_a_file", *METHODS], METRICS, plugins=[plugin]
    )
    assert scores(beside) == alone
    said = capsys.readouterr().err
    assert "loading plug-ins changed torch's default dtype, replaced 'Saliency.attribute': put back" in said
    changed = "changed torch's number of threads, changed the training mode of 'model' and 7 more: put back"
    assert f"'applies' or 'verify' of 'verifies' {changed}" in said
    assert asked.count("verify") == 2  # once for each network, however many metrics there are
    assert (
        "'applies' or 'verify' of 'decides' changed the values of 'model.body.0.bias' and 5 more: put back"
        in said
    )
