"""Contract tests: what every component must keep, ours or a plug-in's. ``xaiboard check`` and pytest run them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from .engine.scores import score as score_samples
from .engine.values import Values
from .errors import XaiboardError, message, noted
from .lipschitz import bounds
from .subjects import trained_models
from .subjects.datasets import NotDataError, load_data
from .subjects.trained_models import TrainedModel
from .toolkit.arguments import checked
from .toolkit.data import Data, Reference
from .toolkit.labels import MetricColumn
from .toolkit.rng import SampleRng
from .toolkit.score_ranges import UNBOUNDED, in_range, range_words

CLASSES, SAMPLES, SIZE = 5, 5, 16
"""Classes, images, and their height and width in pixels, of the small problem on which components are checked."""

Check = Callable[[], object]
"""Raises an error whose message says how the component breaks the contract; what it returns is not looked at."""


class Inapplicable(Exception):  # noqa: N818 - no error: a check raises it to say that it was skipped
    """The component cannot be checked here; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What became of one check.

    Args:
        kind: ``method``, ``metric``, …
        component: the component's name.
        check: what was checked.
        problem: how the component breaks the contract; empty if it keeps it.
        skipped: why the check was not made; empty if it was.
    """

    kind: str
    component: str
    check: str
    problem: str = ""
    skipped: str = ""


@checked
def check(
    plugins: str | Path | Sequence[str | Path] = (), echo: Callable[[str], object] = lambda line: None
) -> list[Outcome]:
    """Runs the contract tests on the components of plug-ins, or on all components if no plug-in is named.

    Args:
        plugins: file that registers components, or several of them.
        echo: is called with a line for each component, and one for each problem.

    Returns:
        The outcomes that are problems.

    Raises:
        XaiboardError: a plug-in that cannot be loaded.
    """
    kinds = (datasets, models, methods, metrics, perturbations)
    loaded = load_plugins(plugins)
    if plugins and not loaded:
        named = [plugins] if isinstance(plugins, (str, Path)) else plugins
        raise XaiboardError(
            f"no component is registered in {', '.join(map(str, named))}; use a decorator such as @method"
        )
    problems = []
    for registry in kinds:
        for name in sorted(registry):
            if not plugins or (registry.kind, name) in loaded:
                outcomes = [run_check(registry.kind, name, *named) for named in checks_of(registry[name])]
                _echo_outcomes(f"{registry.kind} {name}", outcomes, echo)
                problems += [outcome for outcome in outcomes if outcome.problem]
    echo(f"{len(problems)} problems" if problems else "every contract holds")
    return problems


def _echo_outcomes(component: str, outcomes: Sequence[Outcome], echo: Callable[[str], object]) -> None:
    broken = [outcome for outcome in outcomes if outcome.problem]
    skipped = sorted({outcome.skipped for outcome in outcomes if outcome.skipped})
    state = "FAILED" if broken else f"{sum(not outcome.skipped for outcome in outcomes)} checks hold"
    echo(f"{component}: {state}" + (f" (skipped: {'; '.join(skipped)})" if skipped else ""))
    for outcome in broken:
        echo(f"  {outcome.check}: {outcome.problem}")


def run_check(kind: str, name: str, check_name: str, run: Check) -> Outcome:
    """Runs one check of a component; whatever it raises is the component's problem."""
    try:
        with noted():
            run()
    except Inapplicable as reason:
        return Outcome(kind, name, check_name, skipped=str(reason))
    except Exception as error:  # a plug-in may raise anything
        return Outcome(kind, name, check_name, problem=message(error))
    return Outcome(kind, name, check_name)


def checks_of(component: Component) -> Iterator[tuple[str, Check]]:
    """The checks of a component, each with its name."""
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
        model, x, target = values.model, values.x[:1], values.target[:1]
        if reason := choice.reason_against(model) or choice.reason_on(model, x, target):
            raise Inapplicable(reason)
        return values.attribution(choice)

    yield from _value_checks(explain)


def _perturbation_checks(perturbation: Perturbation) -> Iterator[tuple[str, Check]]:
    choice, method = choose(perturbation), choose(_method_with_map("random"))
    yield from _value_checks(lambda values: values.perturbed_x(choice, method))


def _metric_checks(metric: Metric) -> Iterator[tuple[str, Check]]:
    choice = replace(choose(metric), unread=frozenset())
    perturbation = choose(perturbations["sign_noise"]) if needs_perturbation(metric) else None

    def columns(values: Values, known_map: str = "random") -> Mapping[str, Tensor]:
        if reason := missing_library(metric):
            raise Inapplicable(reason)
        method = choose(_method_with_map(known_map)) if needs_method(metric) else None
        return score_samples(values, choice, method, perturbation).score

    def scores(values: Values) -> Tensor:
        found = columns(values)
        return torch.stack([found[name] for name in sorted(found)], 1)

    def keep_ranges() -> None:
        for channels in (1, 3):
            _require_declared_ranges(metric, columns(_small_values(channels)))

    yield from _value_checks(scores)
    yield "scores in the declared range", keep_ranges
    if needs_method(metric):
        for known_map in ("zero", "constant", "negative", "spike", "tiny"):
            yield (
                f"a finite score for a {known_map} map",
                lambda known_map=known_map: _require_declared_ranges(
                    metric, columns(_small_values(1), known_map)
                ),
            )


def _require_declared_ranges(metric: Metric, columns: Mapping[str, Tensor]) -> None:
    """Raises if a score lies outside of the range that its column declares, if it declares one."""
    for name, scores in columns.items():
        bounds = metric.column(name).range or UNBOUNDED
        for extreme in (float(scores.min()), float(scores.max())):
            if not in_range(extreme, bounds):
                raise XaiboardError(
                    f"'{MetricColumn(metric.name, name)}' declares scores of {range_words(bounds)} and returned"
                    f" {extreme:.6g}; declare a range= that holds for every input, or leave it out"
                )


def _value_checks(compute: Callable[[Values], Tensor]) -> Iterator[tuple[str, Check]]:
    """Checks of what a component returns. It is called through the engine, which raises on wrong shapes and NaN."""
    yield "grey images", lambda: compute(_small_values(1))
    yield "RGB images", lambda: compute(_small_values(3))
    yield "one sample", lambda: compute(_small_values(1, samples=1))
    yield "the same values twice", lambda: _require_the_same_twice(compute)
    yield "values do not depend on the batch", lambda: _require_batch_invariance(compute)
    yield "leaves the model, torch and its inputs alone", lambda: _require_left_alone(compute)


def _require_the_same_twice(compute: Callable[[Values], Tensor]) -> None:
    first, again = _small_values(1), _small_values(1)
    again.guard.seed = first.guard.seed + 1  # random numbers from elsewhere than ``rng`` are others
    _require_same(compute(first), compute(again), "a second call")


def _require_batch_invariance(compute: Callable[[Values], Tensor]) -> None:
    whole = compute(_small_values(1))
    # the last of the five images has a batch of its own
    _require_same(compute(_small_values(1, batch=2)), whole, "batches of 2")


def _require_same(one: Tensor, other: Tensor, what: str) -> None:
    """Raises if the two differ; ``what`` names the change that should have made no difference."""
    if not torch.allclose(one, other, rtol=1e-9, atol=1e-9):
        gap = float((one - other).abs().max())
        raise XaiboardError(
            f"{what} changed a value by {gap:.3g}; take random numbers from 'rng' only, and treat each sample alone"
        )


def _require_left_alone(compute: Callable[[Values], Tensor]) -> None:
    """Raises if anything is otherwise afterwards: the model, torch's settings, what was supplied, random numbers."""
    values = _small_values(1)
    values.guard.trusts = (
        _is_known_map  # explained hundreds of times by an attack, and it is not what is checked
    )
    compute(values)
    guard = values.guard
    for owner in {**guard.left, **guard.harmless}:
        did = [*guard.left.get(owner, []), *guard.harmless.get(owner, [])]
        raise XaiboardError(
            f"{owner} {', '.join(did)}; work on copies, set back what you set, draw from 'rng', and use"
            " torch.autograd.grad"
        )


def _model_checks(model: Model) -> Iterator[tuple[str, Check]]:
    def has_no_weights() -> None:
        raise Inapplicable("no weights for a data set that has no path")

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
        yield "weights for a data set", has_no_weights


def _check_model(model: Model, dataset: str) -> None:
    data = _load_offline(dataset)
    trained = trained_models.load(model, dataset, data.shape, len(data.classes))
    outputs = [
        Values(trained, data, None, Conditions(dtype="float64"), Batcher(size, "cpu")).logits
        for size in (1, 8)
    ]
    _require_same(outputs[0], outputs[1], "another batch")


def _check_dataset(dataset: Dataset) -> None:
    if "path" in dataset.supplied:
        raise Inapplicable("it needs a path")
    _load_offline(dataset.name)


def _load_offline(dataset: str) -> Data:
    """Eight test samples of a data set.

    Raises:
        Inapplicable: the data set would have to be downloaded, or cannot be read.
    """
    if datasets[dataset].remote and not Path(os.environ.get("XAIBOARD_DATA", "nowhere"), dataset).is_dir():
        raise Inapplicable(
            f"{dataset} would have to be downloaded; set XAIBOARD_DATA to a directory that has it"
        )
    try:
        return load_data(dataset, samples=8)
    except NotDataError:
        raise
    except XaiboardError as error:
        raise Inapplicable(str(error)) from None


def _small_values(channels: int, *, samples: int = SAMPLES, batch: int = SAMPLES) -> Values:
    """The small problem on which components are checked: a 1-Lipschitz network and random images, in float64.

    Args:
        channels: of the images: 1 or 3.
        samples: how many images.
        batch: images in a batch.
    """
    generator = torch.Generator().manual_seed(channels)
    shape = (channels, SIZE, SIZE)
    model = _small_network(shape, generator)
    x = torch.rand(SAMPLES, *shape, generator=generator)
    mask = torch.rand(SAMPLES, 1, SIZE, SIZE, generator=generator) > 0.5
    data = Data(x, torch.arange(SAMPLES) % CLASSES, [str(label) for label in range(CLASSES)], mask)[:samples]
    trained = TrainedModel("small network", "own", model, "", lipschitz=1.0)
    reference = Reference(x.mean(0), x)
    return Values(trained, data, reference, Conditions(dtype="float64"), Batcher(batch, "cpu"))


def _small_network(shape: tuple[int, int, int], generator: torch.Generator) -> nn.Module:
    """A 1-Lipschitz convolutional network for images of a shape."""
    head = nn.Linear(SIZE * SIZE, CLASSES)
    model = nn.Sequential(
        nn.Conv2d(shape[0], 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), head
    )
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        head.weight /= bounds.upper_bound(model, shape)
    return model


def _is_known_map(component: Component) -> bool:
    return component.function.__module__ == __name__


def _method_with_map(name: str) -> Method:
    """A method that returns a known map, which metrics must be able to score: ``zero``, ``constant``, …, ``random``."""

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
    return make_method(known[name])
