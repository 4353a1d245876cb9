"""Contract tests: what every component, ours or a plug-in's, must keep. ``xaiboard check`` and pytest run them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .components.choice import choose
from .components.decorators import make_method
from .components.kinds import Component, Dataset, Method, Metric, Model, Perturbation
from .components.plugins import load_plugins
from .components.registry import datasets, methods, metrics, models, perturbations
from .engine.applies import missing_library, needs_method, needs_perturbation
from .engine.batching import Batcher
from .engine.conditions import Conditions
from .engine.runner import message
from .engine.scores import score as score_samples
from .engine.values import Values
from .errors import XaiboardError
from .lipschitz import bounds
from .subjects import trained_models
from .subjects.datasets import load_data
from .subjects.trained_models import TrainedModel
from .toolkit.data import Data, Reference
from .toolkit.rng import SampleRng

CLASSES = 5
SAMPLES = 5
SIZE = 16

Check = Callable[[], None]
"""Raises with a sentence where the component breaks the contract."""


class Inapplicable(Exception):  # noqa: N818 - no error: the check says why it has nothing to check
    """The component cannot be checked here, and why."""


@dataclass(frozen=True)
class Outcome:
    """What became of one check: ``problem`` is empty where it holds, ``skipped`` says why it was not made."""

    kind: str
    component: str
    check: str
    problem: str = ""
    skipped: str = ""


def check(
    plugins: Sequence[str | Path] = (), echo: Callable[[str], object] = lambda line: None
) -> list[Outcome]:
    """Runs the contract tests on the components of plug-ins, or on all if none is named.

    Args:
        plugins: files that register components.
        echo: receives a line for each component, and one for each problem.

    Returns:
        The outcomes that are problems.

    Raises:
        XaiboardError: a plug-in that cannot be loaded.
    """
    kinds = (datasets, models, methods, metrics, perturbations)
    loaded = load_plugins(plugins)
    if plugins and not loaded:
        raise XaiboardError(
            f"no component is registered in {', '.join(map(str, plugins))}; use a decorator such as @method"
        )
    problems = []
    for registry in kinds:
        for name in sorted(registry):
            if plugins and (registry.kind, name) not in loaded:
                continue
            outcomes = [run_check(registry.kind, name, *named) for named in checks_of(registry[name])]
            broken = [outcome for outcome in outcomes if outcome.problem]
            skipped = sorted({outcome.skipped for outcome in outcomes if outcome.skipped})
            state = "FAILED" if broken else f"{sum(not outcome.skipped for outcome in outcomes)} checks hold"
            echo(
                f"{registry.kind} {name}: {state}" + (f" (skipped: {'; '.join(skipped)})" if skipped else "")
            )
            for outcome in broken:
                echo(f"  {outcome.check}: {outcome.problem}")
            problems.extend(broken)
    echo(f"{len(problems)} problems" if problems else "every contract holds")
    return problems


def run_check(kind: str, name: str, check_name: str, run: Check) -> Outcome:
    """The outcome of one check."""
    try:
        run()
    except Inapplicable as reason:
        return Outcome(kind, name, check_name, skipped=str(reason))
    except Exception as error:  # a plug-in may raise anything, and that is what is reported
        return Outcome(kind, name, check_name, problem=message(error))
    return Outcome(kind, name, check_name)


def checks_of(component: Component) -> Iterator[tuple[str, Check]]:
    """Named checks of a component."""
    match component:
        case Method():
            yield from _method_checks(component)
        case Metric():
            yield from _metric_checks(component)
        case Perturbation():
            yield from _perturbation_checks(component)
        case Model():
            yield from _model_checks(component)
        case Dataset():
            yield "images, labels and classes agree", lambda: _check_dataset(component)


def _method_checks(method: Method) -> Iterator[tuple[str, Check]]:
    choice = choose(method)

    def explain(values: Values) -> Tensor:
        if reason := choice.reason_against(values.model):
            raise Inapplicable(reason)
        return values.attribution(choice)

    yield from _value_checks(explain)


def _perturbation_checks(perturbation: Perturbation) -> Iterator[tuple[str, Check]]:
    choice, method = choose(perturbation), choose(_map("random"))
    yield from _value_checks(lambda values: values.perturbed_x(choice, method))


def _metric_checks(metric: Metric) -> Iterator[tuple[str, Check]]:
    choice = choose(metric)
    perturbation = choose(perturbations["sign_noise"]) if needs_perturbation(metric) else None

    def score(values: Values, of: str = "random") -> Tensor:
        if reason := missing_library(metric):
            raise Inapplicable(reason)
        method = choose(_map(of)) if needs_method(metric) else None
        columns = score_samples(values, choice, method, perturbation).score
        return torch.stack([columns[name] for name in sorted(columns)], 1)

    yield from _value_checks(score)
    if needs_method(metric):
        for of in ("zero", "constant", "negative", "spike", "tiny"):
            yield f"a finite score for a {of} map", lambda of=of: _ignore(score(_work(1), of))


def _value_checks(compute: Callable[[Values], Tensor]) -> Iterator[tuple[str, Check]]:
    """Checks of what a component returns, by way of the engine, which refuses wrong shapes and NaN."""
    yield "grey images", lambda: _ignore(compute(_work(1)))
    yield "RGB images", lambda: _ignore(compute(_work(3)))
    yield "one sample", lambda: _ignore(compute(_work(1, samples=1)))
    yield "the same values twice", lambda: _same(compute(_work(1)), compute(_work(1)), "a second call")
    yield "values do not depend on the batch", lambda: _batch_invariant(compute)
    yield "leaves the model alone", lambda: _leaves_model_alone(compute)


def _ignore(value: Tensor) -> None:
    del value


def _batch_invariant(compute: Callable[[Values], Tensor]) -> None:
    whole = compute(_work(1))
    for size in (1, 2):
        _same(compute(_work(1, batch=size)), whole, f"batches of {size}")


def _same(one: Tensor, other: Tensor, what: str) -> None:
    if not torch.allclose(one, other, rtol=1e-9, atol=1e-9):
        gap = float((one - other).abs().max())
        raise XaiboardError(
            f"{what} changed a value by {gap:.3g}; take random numbers from 'rng' only, and treat each sample alone"
        )


def _leaves_model_alone(compute: Callable[[Values], Tensor]) -> None:
    values = _work(1)
    before = trained_models.module_digest(values.model)
    hooks = _hooks(values.model)
    compute(values)
    if trained_models.module_digest(values.model) != before:
        raise XaiboardError("the model's parameters or layers changed; work on a copy")
    if any(module.training for module in values.model.modules()):
        raise XaiboardError("the model was left in training mode; call model.eval()")
    if any(parameter.grad is not None for parameter in values.model.parameters()):
        raise XaiboardError("gradients were left on the model's parameters; use torch.autograd.grad")
    if _hooks(values.model) != hooks:
        raise XaiboardError("hooks were left on the model; remove them")


def _hooks(model: nn.Module) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in model.modules() for kind in kinds)


def _model_checks(model: Model) -> Iterator[tuple[str, Check]]:
    served = [
        name
        for name in datasets
        if "path" not in datasets[name].supplied and trained_models.serves(model, name)
    ]
    if model.dataset is not None:
        served = [model.dataset]
    for dataset in served:
        yield (
            f"finite logits, the same in every batch, on {dataset}",
            lambda dataset=dataset: _check_model(model, dataset),
        )
    if not served:
        yield (
            "weights for a data set",
            lambda: _raise(Inapplicable("no weights for a data set that has no path")),
        )


def _raise(error: Exception) -> None:
    raise error


def _check_model(model: Model, dataset: str) -> None:
    data = _offline(dataset)
    trained = trained_models.load(model, dataset, data.shape, len(data.classes))
    outputs = [
        Values(trained, data, None, Conditions(dtype="float64"), Batcher(size, "cpu")).logits
        for size in (1, 8)
    ]
    _same(outputs[0], outputs[1], "another batch")


def _check_dataset(dataset: Dataset) -> None:
    if "path" in dataset.supplied:
        raise Inapplicable("it needs a path")
    data = _offline(dataset.name)
    if data.x.dtype != torch.float32 or data.x.ndim != 4 or not 0 <= data.x.min() <= data.x.max() <= 1:
        raise XaiboardError("images must be float32 (N, C, H, W) in [0, 1]")
    if data.label.dtype != torch.int64 or not 0 <= data.label.min() <= data.label.max() < len(data.classes):
        raise XaiboardError(
            f"labels must be int64 from 0 to {len(data.classes) - 1}, the number of classes less one"
        )
    if data.mask is not None and data.mask.shape != (len(data), 1, *data.x.shape[2:]):
        raise XaiboardError("masks must be bool (N, 1, H, W)")


def _offline(dataset: str) -> Data:
    if datasets[dataset].remote and not Path(os.environ.get("XAIBOARD_DATA", "nowhere"), dataset).is_dir():
        raise Inapplicable(
            f"{dataset} would have to be downloaded; set XAIBOARD_DATA to a directory that has it"
        )
    try:
        return load_data(dataset, samples=8)
    except XaiboardError as error:
        raise Inapplicable(str(error)) from None


def _work(channels: int, *, samples: int = SAMPLES, batch: int = SAMPLES) -> Values:
    """A small network on random images, in float64: what every component is checked on."""
    generator = torch.Generator().manual_seed(channels)
    shape = (channels, SIZE, SIZE)
    head = nn.Linear(SIZE * SIZE, CLASSES)
    model = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), head
    )
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        head.weight /= bounds.upper_bound(model, shape)
    x = torch.rand(SAMPLES, *shape, generator=generator)
    mask = torch.rand(SAMPLES, 1, SIZE, SIZE, generator=generator) > 0.5
    data = Data(x, torch.arange(SAMPLES) % CLASSES, [str(label) for label in range(CLASSES)], mask)[:samples]
    trained = TrainedModel("small network", "own", model, "", lipschitz=1.0)
    reference = Reference(x.mean(0), x)
    return Values(trained, data, reference, Conditions(dtype="float64"), Batcher(batch, "cpu"))


def _map(of: str) -> Method:
    """A method whose map is degenerate in a known way."""

    def zero(x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    def constant(x: Tensor) -> Tensor:
        return torch.ones_like(x)

    def negative(x: Tensor) -> Tensor:
        return -1 - x

    def spike(x: Tensor) -> Tensor:
        return (
            torch.nn.functional.one_hot(torch.zeros(len(x), dtype=torch.long), x[0].numel()).to(x).view_as(x)
        )

    def tiny(x: Tensor) -> Tensor:
        return 1e-40 * spike(x)

    def random(x: Tensor, rng: SampleRng) -> Tensor:
        return rng.normal(x)

    known: dict[str, Callable[..., Tensor]] = {
        "zero": zero, "constant": constant, "negative": negative, "spike": spike, "tiny": tiny, "random": random,
    }  # fmt: skip
    return make_method(known[of])
