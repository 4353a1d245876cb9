"""The contract over every registered component, and what the checks find in components that break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.decorators import make_method, make_metric
from xaiboard.benchmark.components.kinds import Column, Component
from xaiboard.benchmark.components.registry import Registry
from xaiboard.benchmark.contract import Inapplicable, checks_of, run_check
from xaiboard.benchmark.engine.applies import missing_library

RANGE = "scores in the declared range"

REGISTRIES: tuple[Registry, ...] = (xb.datasets, xb.models, xb.methods, xb.metrics, xb.perturbations)


def every_check() -> Iterator[Any]:
    for registry in REGISTRIES:
        for name, component in sorted(registry.items()):
            for check, run in checks_of(component):
                yield pytest.param(run, id=f"{registry.kind} {name}: {check}")


@pytest.mark.parametrize("run", list(every_check()))
def test_every_component_keeps_the_contract(run: Callable[[], None]) -> None:
    try:
        run()
    except Inapplicable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_every_component_names_a_source_and_describes_itself(registry: Registry) -> None:
    for name, component in registry.items():
        assert component.source, name
        assert component.summary, name
        assert len(list(checks_of(component))) > 0, name


@pytest.mark.parametrize("name", sorted(xb.metrics))
def test_every_column_of_a_built_in_metric_declares_its_range(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where every number is possible, ``(-inf, inf)``: rare events are judged by the range."""
    entry, returned = xb.metrics[name], set[str]()
    monkeypatch.setattr(
        "xaiboard.benchmark.contract._require_declared_ranges", lambda _, columns: returned.update(columns)
    )
    if not missing_library(entry):
        dict(checks_of(entry))[RANGE]()
        assert returned
    assert [column for column in {"", *entry.columns, *returned} if entry.column(column).range is None] == []


# planted offenders


def problems(component: Component) -> dict[str, str]:
    """Problems by check."""
    outcomes = [run_check("kind", component.name, *named) for named in checks_of(component)]
    assert not any(outcome.skipped for outcome in outcomes)
    return {outcome.check: outcome.problem for outcome in outcomes if outcome.problem}


BATCH, TWICE, ALONE = (
    "values do not depend on the batch",
    "the same values twice",
    "leaves the model, torch and its inputs alone",
)


def test_a_good_component_has_no_problem() -> None:
    def good(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
        return xb.methods["saliency"](model=model, x=x, target=target)

    def good_score(attribution: Tensor) -> Tensor:
        return attribution.flatten(1).mean(1)

    assert problems(make_method(good)) == {}
    assert problems(make_metric(good_score)) == {}


def test_random_numbers_of_the_global_generator() -> None:
    def noise(x: Tensor) -> Tensor:
        return torch.rand_like(x)

    found = problems(make_method(noise))
    assert {BATCH, TWICE} <= set(found)
    assert "take random numbers from 'rng' only" in found[TWICE]


def test_statistics_of_the_batch() -> None:
    def centred(x: Tensor) -> Tensor:
        return x - x.mean()

    assert set(problems(make_method(centred))) == {BATCH}


def test_a_model_left_in_training_mode() -> None:
    def trains(model: nn.Module, x: Tensor) -> Tensor:
        model.train()
        return x

    assert "'trains' changed the training mode of 'model' and 5 more" in problems(make_method(trains))[ALONE]


def test_a_hook_left_on_the_model() -> None:
    def hooks(model: nn.Module, x: Tensor) -> Tensor:
        next(model.children()).register_forward_hook(lambda *given: None)
        return x

    assert (
        "method 'hooks' changed the hooks of 'model.0'; work on copies" in problems(make_method(hooks))[ALONE]
    )


def test_a_hook_before_left_on_the_model() -> None:
    def hooks_before(model: nn.Module, x: Tensor) -> Tensor:
        next(model.children()).register_forward_pre_hook(lambda *given: None)
        return x

    assert ALONE in problems(make_method(hooks_before))


def test_parameters_that_change() -> None:
    def shrinks(model: nn.Module, x: Tensor) -> Tensor:
        for parameter in model.parameters():
            parameter.data *= 0.5
        return x

    assert (
        "method 'shrinks' changed the values of 'model.0.bias' and 3 more"
        in problems(make_method(shrinks))[ALONE]
    )


def test_gradients_left_on_the_parameters() -> None:
    def leaves(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
        with_gradient = x.detach().requires_grad_()
        model(with_gradient).gather(1, target[:, None]).sum().backward()
        assert with_gradient.grad is not None
        return with_gradient.grad

    assert "left gradients on 'model.0.bias' and 3 more" in problems(make_method(leaves))[ALONE]


def test_an_input_changed_in_place() -> None:
    def halves(x: Tensor) -> Tensor:
        return x.mul_(0.5)

    def sums(attribution: Tensor) -> Tensor:
        return attribution.data.abs_().flatten(1).mean(1)

    assert "method 'halves' changed its input 'x' in place" in problems(make_method(halves))[ALONE]
    assert "metric 'sums' changed its input 'attribution' in place" in problems(make_metric(sums))[ALONE]


def test_settings_of_torch_left_changed() -> None:
    def counts(x: Tensor) -> Tensor:
        torch.set_num_threads(torch.get_num_threads() + 1)
        return x

    threads = torch.get_num_threads()
    assert "method 'counts' changed torch's number of threads" in problems(make_method(counts))[ALONE]
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        (lambda x: x.sum(1, keepdim=True), r"got (5, 1, 16, 16)"),
        (lambda x: x.mean(), "got ()"),
        (lambda x: x / 0, "values that are not finite"),
        (lambda x: x.tolist(), "got list"),
    ],
    ids=["channels", "mean", "infinite", "list"],
)
def test_a_wrong_return_value(wrong: Callable[[Tensor], object], got: str) -> None:
    found = problems(make_method(wrong, name="wrong"))
    assert got in found["RGB images"]
    assert found["RGB images"].startswith("method 'wrong' must return finite values shaped (5, 3, 16, 16)")


def test_a_metric_that_divides_by_the_sum_of_the_map() -> None:
    def share(attribution: Tensor) -> Tensor:
        flat = attribution.flatten(1).abs()
        return flat.amax(1) / flat.sum(1)

    assert set(problems(make_metric(share))) == {"a finite score for a zero map"}


def test_a_metric_that_takes_the_logarithm_of_the_map() -> None:
    def entropy(attribution: Tensor) -> Tensor:
        return attribution.flatten(1).log().mean(1)

    assert {f"a finite score for a {of} map" for of in ("zero", "negative", "spike")} <= set(
        problems(make_metric(entropy))
    )


def test_a_metric_with_a_mean_over_the_batch() -> None:
    def relative(attribution: Tensor) -> Tensor:
        flat = attribution.flatten(1).abs().sum(1)
        return flat - flat.mean()

    assert set(problems(make_metric(relative))) == {BATCH}


def test_a_metric_with_one_score_for_all() -> None:
    def total(attribution: Tensor) -> Tensor:
        return attribution.mean()

    assert problems(make_metric(total))["grey images"] == (
        "metric 'total' must return finite scores shaped (5,), got ()"
    )


def test_a_perturbation_out_of_range() -> None:
    from xaiboard.benchmark.components.kinds import Perturbation
    from xaiboard.benchmark.components.signature import read_signature

    def brighter(x: Tensor) -> Tensor:
        return x + 0.5

    entry = Perturbation(
        "brighter", brighter, **read_signature("perturbation", "brighter", brighter)._asdict()
    )
    assert "must stay in [0, 1]" in problems(entry)["grey images"]


def test_a_score_beyond_the_declared_range() -> None:
    def total(attribution: Tensor) -> dict[str, Tensor]:
        whole = attribution.flatten(1).sum(1)
        return {"": whole, "share": whole / whole.abs().clamp_min(1), "free": whole}

    columns = {"share": Column(range=(-1, 1)), "free": Column()}
    assert problems(make_metric(total, columns=columns)) == {}
    found = problems(make_metric(total, range=(-inf, 100), columns=columns))
    assert found == {
        "a finite score for a constant map": "'total' declares scores of at most 100 and returned 256; declare a range="
        " that holds for every input, or leave it out"
    }
    found = problems(make_metric(total, columns={**columns, "share": Column(range=(0, 1))}))
    assert set(found) == {RANGE, "a finite score for a negative map"}
    assert all("'total.share' declares scores of 0 to 1 and returned -1;" in said for said in found.values())


def test_a_score_beyond_the_declared_range_by_rounding() -> None:
    def half(attribution: Tensor) -> Tensor:
        return attribution.flatten(1).mean(1) * 0 + 0.5

    assert problems(make_metric(half, range=(0, 0.5 - 1e-7))) == {}
    assert set(problems(make_metric(half, range=(0, 0.5 - 1e-4)))) >= {RANGE}
