"""A network or function that computes something else never gets old scores back; an unchanged one always does."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.decorators import make_method, make_metric
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.staleness import Register
from xaiboard.benchmark.engine.trial import TrialValues, try_function
from xaiboard.benchmark.errors import XaiboardWarning
from xaiboard.benchmark.selection import choose_components
from xaiboard.benchmark.store.damage import DamagedError
from xaiboard.benchmark.store.known_outputs import read_known_outputs
from xaiboard.benchmark.store.record import from_table, to_table
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.restore import restore_run_file
from xaiboard.benchmark.store.run_file import read_run, write_run
from xaiboard.benchmark.store.verify import verify
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.subjects.fixed_inputs import network_outputs
from xaiboard.benchmark.subjects.outputs import Outputs
from xaiboard.benchmark.subjects.trained_models import TrainedModel

FACTOR: dict[str, float] = {"of all": 1.0}
CHANGED = "computes something else than when its finished cells were computed"


def linear() -> nn.Sequential:
    head = nn.Linear(784, 10, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.randn(10, 784, generator=torch.Generator().manual_seed(0)))
    return nn.Sequential(nn.Flatten(), head)


class Scaled(nn.Module):
    """A linear network whose scores depend on a factor that no digest of weights and code sees."""

    def __init__(self, where: str, factor: float) -> None:
        super().__init__()
        self.head = linear()
        self.factors = [1.0]
        self.kept: Tensor
        self.register_buffer("kept", torch.ones(()), persistent=False)
        FACTOR["of all"] = 1.0
        match where:
            case "attribute":
                self.factors[0] = factor
            case "buffer":
                self.kept = torch.tensor(factor)
            case "hook":
                self.head.register_forward_hook(lambda *given: factor * given[-1])
            case "backward hook":
                self.head.register_full_backward_pre_hook(lambda module, given: (factor * given[0],))
            case "global":
                FACTOR["of all"] = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x) * self.factors[0] * self.kept * FACTOR["of all"]


def score(out: Path, model: nn.Module, **changed: object) -> float:
    given = {
        "methods": "sobel",
        "metrics": "gradient_norm",
        "samples": 8,
        "target": "label",
        "dataset": "digits",
    }
    table = xb.run(models={"net": model}, out=out, progress=False, **{**given, **changed}).scores
    return float(table.loc[table["metric"] == "gradient_norm", "score"].mean())


def written(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (out / "records").glob("*.parquet")}


@pytest.mark.parametrize("where", ["attribute", "buffer", "hook", "backward hook", "global"])
def test_a_changed_network_is_scored_anew_and_both_are_known_again(
    tmp_path: Path, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = score(tmp_path, Scaled(where, 1.0))
    assert score(tmp_path, Scaled(where, 3.0)) == pytest.approx(3 * first, rel=1e-5)
    assert f"model 'net' {CHANGED}" in capsys.readouterr().err
    before = written(tmp_path)
    assert len(before) == 2
    for factor in (1.0, 3.0):
        assert score(tmp_path, Scaled(where, factor)) == pytest.approx(factor * first, rel=1e-5)
    assert written(tmp_path) == before
    assert CHANGED not in capsys.readouterr().err


def test_the_key_of_a_network_that_is_new_to_a_folder_is_that_of_its_weights(tmp_path: Path) -> None:
    score(tmp_path / "a", Scaled("attribute", 1.0))
    score(tmp_path / "b", Scaled("attribute", 3.0))
    assert written(tmp_path / "a").keys() == written(tmp_path / "b").keys()


def test_rounding_is_no_change(tmp_path: Path) -> None:
    """Another machine adds up in another order."""
    score(tmp_path, Scaled("buffer", 1.0))
    before = written(tmp_path)
    score(tmp_path, Scaled("buffer", 1.0 + 1e-6))
    assert written(tmp_path) == before
    score(tmp_path, Scaled("buffer", 1.001))
    assert len(written(tmp_path)) == 2


class Masked(nn.Module):
    """Never predicts most classes; of the others, one is what large numbers differ by, and one varies little."""

    def __init__(self, factor: float = 1.0, number: int = 9) -> None:
        super().__init__()
        self.head, self.factor, self.number = linear(), factor, number

    def forward(self, x: Tensor) -> Tensor:
        logits = self.head(x).clone()
        logits[:, :6] = -1e9
        logits[:, 6] = (logits[:, 6] + 1e4) - 1e4
        logits[:, 7] *= 0.02
        logits[:, 8] += 1e4
        logits[:, self.number] *= self.factor
        return logits


def numbers(model: nn.Module) -> Outputs:
    images = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    found = network_outputs(model.eval(), images)
    assert found is not None
    return Outputs.read(json.loads(json.dumps(found.plain)))


@pytest.mark.parametrize("number", [7, 9])
def test_a_change_of_one_logit_is_seen_beside_masked_ones(number: int) -> None:
    before = numbers(Masked())
    assert not before.agrees_with(numbers(Masked(1.002, number)))
    assert before.agrees_with(numbers(Masked(1 + 1e-6, number)))


class Elsewhere(nn.Module):
    """A network that computes something else where ``rule`` says so of the images."""

    def __init__(self, rule: Callable[[Tensor], Tensor], change: float) -> None:
        super().__init__()
        self.body, self.rule, self.change = convolutional(), rule, change

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) * torch.where(self.rule(x.flatten(1))[:, None], self.change, 1.0)


RULES: dict[str, Callable[[Tensor], Tensor]] = {
    "black": lambda x: x.amax(1) == 0,
    "dark": lambda x: (x.mean(1) < 0.1) & (x.amax(1) > 0),
    "white": lambda x: x.mean(1) > 0.9,
    "half erased": lambda x: (x == 0).double().mean(1) >= 0.5,
    "negative": lambda x: x.amin(1) < 0,
    "above one": lambda x: x.amax(1) > 1,
    "without gradients": lambda x: torch.full((len(x),), not torch.is_grad_enabled()),
    "anywhere": lambda x: x.isfinite().all(1),
}


@pytest.mark.parametrize("where", RULES)
def test_a_small_change_that_shows_on_some_images_alone_is_seen(where: str) -> None:
    before = numbers(Elsewhere(RULES[where], 1.0))
    assert not before.agrees_with(numbers(Elsewhere(RULES[where], 1 + 3e-4)))
    assert before.agrees_with(numbers(Elsewhere(RULES[where], 1 + 1e-6)))
    assert before.agrees_with(numbers(Elsewhere(RULES[where], 1.0)))


def test_what_earlier_versions_kept_is_compared_on_what_it_has() -> None:
    """They had logits and gradients alone."""
    before = numbers(Elsewhere(RULES["dark"], 1.0))
    earlier = replace(before, columns=before.columns[:15])
    assert earlier.agrees_with(numbers(Elsewhere(RULES["dark"], 3.0)))
    assert not earlier.agrees_with(numbers(Elsewhere(RULES["anywhere"], 1 + 3e-4)))
    assert not replace(before, columns=()).agrees_with(before)


def test_a_network_may_raise_or_be_infinite_for_unusual_images() -> None:
    def roots(x: Tensor) -> Tensor:
        if x.amax() > 1:
            raise ValueError("no image")
        return torch.ones(len(x), dtype=torch.bool)

    found = numbers(Elsewhere(roots, 1.0))
    assert len(found.columns) == 25
    assert not found.agrees_with(numbers(Elsewhere(roots, 1.001)))
    assert (
        len(numbers(nn.Sequential(Elsewhere(RULES["negative"], torch.nan), nn.LogSoftmax(1))).columns) == 35
    )


def convolutional() -> nn.Sequential:
    """With pooling and rectifiers, whose gradients jump."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Flatten(), nn.Linear(8 * 121, 10)
        )  # fmt: skip


def certain() -> nn.Sequential:
    """Logarithms of probabilities; that of the first class is nearly 1, and its logarithm mostly rounding."""
    model = nn.Sequential(convolutional(), nn.LogSoftmax(1))
    with torch.no_grad():
        model.get_parameter("0.7.bias")[0] += 20
    return model


@pytest.mark.parametrize("make", [Masked, convolutional, certain])
def test_another_order_of_sums_is_no_change(make: Callable[[], nn.Module]) -> None:
    """In float64 every sum is another one than in float32; so it is with other kernels, as other machines have them."""
    given = numbers(make())
    with torch.backends.mkldnn.flags(enabled=False):
        assert given.agrees_with(numbers(make()))
    exact = network_outputs(
        make().double().eval(),
        torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1)).double(),
    )
    assert exact is not None
    assert given.agrees_with(exact)


@pytest.mark.parametrize("published", [False, True])
def test_scores_of_another_network_are_not_taken_over(tmp_path: Path, published: bool) -> None:
    first, other = score(tmp_path / "first", Scaled("attribute", 1.0)), tmp_path / "first"
    if published:
        other = shutil.copytree(other, tmp_path / "published", ignore=shutil.ignore_patterns("records"))
    assert score(tmp_path / "same", Scaled("attribute", 1.0), reuse=other) == first
    assert len(written(tmp_path / "same")) == (0 if published else 1)
    assert score(tmp_path / "other", Scaled("attribute", 3.0), reuse=other) == pytest.approx(
        3 * first, rel=1e-5
    )
    assert score(tmp_path / "other", Scaled("attribute", 3.0)) == pytest.approx(3 * first, rel=1e-5)
    assert len(written(tmp_path / "other")) == 1


def test_two_networks_of_one_digest_in_two_folders_stay_apart(tmp_path: Path) -> None:
    """The folder that is reused has the scores of another network under the keys of the one here."""
    first = score(tmp_path / "one", Scaled("attribute", 1.0), metrics="gradient_norm,accuracy")
    score(tmp_path / "three", Scaled("attribute", 3.0), metrics="accuracy")
    again = score(tmp_path / "three", Scaled("attribute", 3.0), reuse=tmp_path / "one")
    assert again == pytest.approx(3 * first, rel=1e-5)


def forget(out: Path, how: str) -> None:
    """Loses what ``run.json`` knows of the outputs."""
    path = out / "run.json"
    match how:
        case "lost":
            path.unlink()
        case "removed":
            run = read_run(out)
            assert run is not None
            left = {name: value for name, value in run.conditions.items() if name != "outputs"}
            write_run(out, replace(run, conditions=left))


def without_outputs(path: Path, *, sealed: bool) -> None:
    """A record as an earlier version wrote it: its provenance names no outputs, or it has no digest at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record, identity, provenance, _ = from_table(pq.read_table(path), 0)
    table = to_table(record, identity, {name: of for name, of in provenance.items() if name != "outputs"}, 0)
    kept = {name: text for name, text in table.schema.metadata.items() if sealed or b"digest" not in name}
    pq.write_table(table.replace_schema_metadata(kept), path)


@pytest.mark.filterwarnings("ignore::xaiboard.benchmark.errors.XaiboardWarning")
@pytest.mark.parametrize("how", ["lost", "removed"])
def test_records_say_what_their_network_computed(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = score(tmp_path, Scaled("attribute", 1.0))
    outputs = read_known_outputs(tmp_path)
    before = written(tmp_path)
    forget(tmp_path, how)
    assert score(tmp_path, Scaled("attribute", 1.0)) == first
    assert written(tmp_path) == before
    run = read_run(tmp_path)
    assert run is not None
    assert run.conditions["outputs"] == outputs
    forget(tmp_path, how)
    assert score(tmp_path, Scaled("attribute", 3.0)) == pytest.approx(3 * first, rel=1e-5)
    assert f"model 'net' {CHANGED}" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::xaiboard.benchmark.errors.XaiboardWarning")
def test_a_run_file_that_is_made_anew_says_what_was_computed(tmp_path: Path) -> None:
    """A published copy has no records, and is told from another network's by that file alone."""
    score(tmp_path, Scaled("attribute", 1.0))
    outputs = read_known_outputs(tmp_path)
    forget(tmp_path, "lost")
    restore_run_file(Store(tmp_path))
    run = read_run(tmp_path)
    assert run is not None
    assert run.conditions["outputs"] == outputs


@pytest.mark.filterwarnings("ignore::xaiboard.benchmark.errors.XaiboardWarning")
@pytest.mark.parametrize("how", ["files", "provenance", "other"])
def test_a_record_of_which_nothing_is_known_is_computed_anew(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing stands beside it, or it names nothing, or it is from the folder of another network."""
    out = tmp_path / "run"
    first = score(out, Scaled("attribute", 1.0))
    [record] = written(out)
    match how:
        case "files":
            forget(out, "removed")
            for path in (out / "records").glob("outputs-*.json"):
                path.unlink()
        case "provenance":
            forget(out, "removed")
            for path in (out / "records").glob("outputs-*.json"):
                path.unlink()
            without_outputs(out / "records" / record, sealed=True)
        case "other":
            score(tmp_path / "there", Scaled("attribute", 3.0))
            for path in (out / "records").glob("outputs-*.json"):
                path.unlink()
            shutil.copytree(tmp_path / "there" / "records", out / "records", dirs_exist_ok=True)
            first /= 3  # of the run below
    capsys.readouterr()
    factor = 1.0 if how == "other" else 3.0
    if how == "files":  # they are not taken over either
        found = score(tmp_path / "reusing", Scaled("attribute", factor), reuse=out)
        assert found == pytest.approx(3 * first, rel=1e-5)
    assert score(out, Scaled("attribute", factor)) == pytest.approx(3 * first, rel=1e-5)
    assert "1 finished cells are not known to be of what their networks" in capsys.readouterr().err
    assert (out / "records" / f"{record}.unknown").exists()
    assert verify(out).problems == []


def test_records_of_earlier_versions_are_taken_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = score(tmp_path, Scaled("attribute", 1.0))
    forget(tmp_path, "removed")
    for path in (tmp_path / "records").glob("outputs-*.json"):
        path.unlink()
    [record] = written(tmp_path)
    without_outputs(tmp_path / "records" / record, sealed=False)
    with pytest.warns(XaiboardWarning, match="read unverified"):
        assert score(tmp_path, Scaled("attribute", 1.0)) == first
    assert "1 finished cells were computed by a version that did not keep" in capsys.readouterr().err
    with pytest.warns(XaiboardWarning, match="read unverified"):
        score(tmp_path, Scaled("attribute", 1.0))
    assert "did not keep" not in capsys.readouterr().err


@pytest.mark.parametrize("found", [5, [1], {"columns": "?"}, {"columns": [[10**400]]}, {"columns": [[]]}])
def test_outputs_that_are_something_else_are_one_sentence(tmp_path: Path, found: object) -> None:
    score(tmp_path, Scaled("attribute", 1.0))
    run = read_run(tmp_path)
    assert run is not None
    outputs = dict.fromkeys(run.conditions["outputs"], found)
    write_run(tmp_path, replace(run, conditions={**run.conditions, "outputs": outputs}))
    with pytest.raises(xb.XaiboardError, match=r"^'outputs' in run\.json are not as they were written"):
        score(tmp_path, Scaled("attribute", 1.0))


@pytest.mark.parametrize("found", [5, [1], "?", None])
def test_outputs_that_are_no_object_are_damage(tmp_path: Path, found: object) -> None:
    """A file with a digest that fits may hold anything: it is made anew where there are records."""
    first = score(tmp_path, Scaled("attribute", 1.0))
    run = read_run(tmp_path)
    assert run is not None
    write_run(tmp_path, replace(run, conditions={**run.conditions, "outputs": found}))
    with pytest.raises(
        DamagedError, match=r"run\.json' is damaged \(its 'outputs' are no object\); restore it"
    ):
        read_run(tmp_path)
    with pytest.warns(
        XaiboardWarning, match=r"its 'outputs' are no object\): it is made anew from the records"
    ):
        assert score(tmp_path, Scaled("attribute", 1.0)) == first


def helper(x: Tensor) -> Tensor:
    return x ** FACTOR["of all"]


def by_a_global(x: Tensor) -> Tensor:
    return helper(x) + 0.1


def total(attribution: Tensor) -> Tensor:
    return helper(attribution.flatten(1).abs()).sum(1)


def random_start(x: Tensor) -> Tensor:
    return x + torch.rand_like(x)


def steepness(explain: Callable[[Tensor], Tensor], x: Tensor, attribution: Tensor) -> Tensor:
    return helper((explain(x * 0.9) - attribution).flatten(1).abs()).sum(1) * FACTOR["of all"]


def slope(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    x.requires_grad_()
    return torch.autograd.grad(model(x).gather(1, target[:, None]).sum(), x)[0] * FACTOR["of all"]


def rank(attribution: Tensor) -> Tensor:
    """Which place the first pixel has."""
    flat = attribution.flatten(1)
    return (flat < flat[:, :1]).double().mean(1) * FACTOR["of all"]


@pytest.mark.parametrize("function", [by_a_global, slope, total, steepness, rank])
def test_a_small_change_of_a_function_is_seen_and_rounding_is_none(function: Callable[..., Tensor]) -> None:
    """One that is far below what scores are read to, on a network with pooling and rectifiers."""
    kind, make = (xb.methods, make_method) if function in (by_a_global, slope) else (xb.metrics, make_metric)
    (choice,) = choose_components(kind, make, [function])
    network = TrainedModel("net", "own", convolutional().eval(), "")
    data, conditions = load_data("digits", samples=2), Conditions()

    def tried(factor: float) -> Outputs:
        FACTOR["of all"] = factor
        values = TrialValues(network, data, None, conditions, Batcher(None, "cpu"))
        found = try_function(choice, values)
        assert found is not None
        return found

    before = tried(1.0)
    assert before.agrees_with(tried(1 + 1e-6))
    with torch.backends.mkldnn.flags(enabled=False):
        assert before.agrees_with(tried(1.0))
    assert not before.agrees_with(tried(1.003))
    FACTOR["of all"] = 1.0


@pytest.mark.parametrize(
    ("methods", "metrics", "name"),
    [([by_a_global], "gini", "method 'by_a_global'"), ("sobel", [total], "metric 'total'")],
)
def test_a_function_that_reads_a_global_is_not_given_scores_of_another_value(
    tmp_path: Path, methods: object, metrics: object, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(factor: float) -> list[float]:
        FACTOR["of all"] = factor
        given = {"methods": methods, "metrics": metrics, "samples": 8, "out": tmp_path, "progress": False}
        return xb.run(models={"net": linear()}, **given).scores["score"].tolist()

    found = {factor: run(factor) for factor in (1.0, 4.0)}
    assert f"{name} {CHANGED}" in capsys.readouterr().err
    assert found[1.0] != found[4.0]
    before = written(tmp_path)
    for factor in (1.0, 4.0):
        assert run(factor) == found[factor]
    assert written(tmp_path) == before


def test_a_function_that_draws_random_numbers_is_known_again(tmp_path: Path) -> None:
    def run() -> list[float]:
        torch.rand(1)  # elsewhere in the program
        given = {
            "methods": [random_start],
            "metrics": "gini",
            "samples": 8,
            "out": tmp_path,
            "progress": False,
        }
        return xb.run(models={"net": linear()}, **given).scores["score"].tolist()

    assert run() == run()
    assert len(written(tmp_path)) == 1


def brightened(x: Tensor) -> Tensor:
    return helper(0.9 * x)


VERSIONED = {
    "method 'by_helper'": (xb.methods, "by_helper"),
    "method 'blurred'": (xb.methods, "blurred[of=by_helper]"),
    "metric 'total'": (xb.metrics, "total"),
    "perturbation 'brightened'": (xb.perturbations, "brightened"),
}


def register_versions(version: int = 1) -> None:
    xb.method(name="by_helper", version=version)(by_a_global)
    xb.metric(family="own", higher_is_better=None, version=version)(total)
    xb.perturbation(version=version)(brightened)


@pytest.mark.parametrize("owner", VERSIONED)
def test_a_component_with_a_version_whose_helper_changed_is_another_one(
    owner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its version is raised by hand; no digest of its code sees the helper."""
    network, data = TrainedModel("net", "own", linear().eval(), ""), load_data("digits", samples=2)
    known: dict[str, Any] = {}

    def identity(factor: float) -> tuple[object, object]:
        FACTOR["of all"] = factor
        (choice,) = choose_components(VERSIONED[owner][0], make_method, VERSIONED[owner][1])
        register = Register(data, None, Conditions(), known)
        registered = register.function(choice, [network], {})
        known.update(register.outputs)
        return registered.identity, choice.identity

    register_versions()
    first, declared = identity(1.0)
    assert first == declared
    other, _ = identity(4.0)
    assert other != first
    assert f"{owner} {CHANGED}, with the same version" in capsys.readouterr().err
    assert [identity(factor)[0] for factor in (1.0, 1 + 1e-6, 4.0)] == [first, first, other]
    assert capsys.readouterr().err == ""
    register_versions(version=2)
    second, declared = identity(4.0)
    assert second == declared
    FACTOR["of all"] = 1.0


def test_a_perturbation_whose_helper_changed_is_not_given_old_scores(tmp_path: Path) -> None:
    register_versions()

    def run(factor: float) -> list[float]:
        FACTOR["of all"] = factor
        given = {"methods": "sobel", "metrics": "cosine", "perturbations": "brightened", "samples": 8}
        return (
            xb.run(models={"net": linear()}, **given, out=tmp_path, progress=False).scores["score"].tolist()
        )

    assert run(1.0) != run(4.0)
    FACTOR["of all"] = 1.0
