"""Which cells can be computed, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from math import prod

from torch import Tensor, nn

from ..components.choice import Choice
from ..components.kinds import Method, Metric
from ..errors import XaiboardError, message
from ..lipschitz import bounds
from ..subjects.examination import passed_checks
from ..subjects.findings import has_gradient, in_type_of
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data
from .isolation import alone


def needs_method(metric: Metric) -> bool:
    """Whether a metric judges attributions; if not, it judges the model alone."""
    return any(
        metric.needs(name)
        for name in (
            "attribution",
            "explain",
            "other_attribution",
            "class_attributions",
            "perturbed_x",
            "perturbed_logits",
            "perturbed_attribution",
        )
    )


def needs_perturbation(metric: Metric) -> bool:
    """Whether a metric compares samples with their perturbed copies."""
    return any(metric.needs(name) for name in ("perturbed_x", "perturbed_logits", "perturbed_attribution"))


def missing_library(metric: Metric) -> str:
    """Why a metric cannot be computed on this machine; empty if it can."""
    if not metric.library or find_spec(metric.library):
        return ""
    return f"the library '{metric.library}' is not installed; run: pip install {metric.library}"


OwnCheck = Callable[[Choice], str]
"""Why a component does not apply to a model, or would be wrong on it; empty if it is right."""


def own_checks(model: TrainedModel, data: Data) -> OwnCheck:
    """What methods and metrics say of a model, each asked once, by the first image and its label."""
    known: dict[tuple[type, str], str] = {}
    first = data[:1].in_memory()

    def check(choice: Choice) -> str:
        key = (type(choice.component), choice.label)
        if key not in known:
            known[key] = reason_on(choice, model.module, first.x, first.label)
        return known[key]

    return check


def reason_on(choice: Choice, model: nn.Module, x: Tensor, target: Tensor) -> str:
    """Why a component does not apply to a network, or would be wrong on it by its own check; empty if it is right.

    What code of the user's changes meanwhile is put back.

    Args:
        choice: the component; of a metric, the check is that of its base.
        model: the network, in evaluation mode.
        x: images, of which the first is used.
        target: their classes.
    """
    x = in_type_of(model, x[:1])

    def reason() -> str:
        return choice.reason_against(model) or _reason_by_own_check(choice, model, x, target[:1].to(x.device))

    if choice.component.built_in and choice.root.component.built_in:
        return reason()
    what = f"'applies' or 'verify' of '{choice.component.name}'"
    with alone(what, {"model": model}):
        try:
            return reason()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever it is, it costs that method's cells alone
            return f"{what} raised {message(error)}"


def _reason_by_own_check(choice: Choice, model: nn.Module, x: Tensor, target: Tensor) -> str:
    """Why a method would be wrong on a network by its own check; empty if it is right, which is kept for the object."""
    right = passed_checks(model)
    key = (choice.component.function, choice.label, x.shape[1:], x.dtype, x.device)
    if key in right:
        return ""
    root = choice.root.component
    if isinstance(root, Method) and root.verify and not has_gradient(model, x):
        return "the model's logits have no gradient with respect to the images"
    if reason := choice.reason_on(model, x, target):
        return reason
    right.add(key)
    return ""


def reason_against(
    model: TrainedModel,
    method: Choice | None,
    metric: Choice,
    perturbation: Choice | None,
    data: Data,
    own_check: OwnCheck,
) -> str:
    """Why the cell cannot be computed; empty if it can. For ``own_check`` see :func:`own_checks`."""
    if reason := missing_library(metric.component) or model.refused:
        return reason
    if metric.component.needs("mask") and data.mask is None:
        return "the data set has no 'mask'"
    if needs_perturbation(metric.component) and perturbation is None:
        return "no perturbation is selected"
    chosen = [choice for choice in (method, metric) if choice is not None]
    parts = [*chosen, *([perturbation] if perturbation else [])]
    reasons = [reason_against_shape(part, data.shape) for part in parts]
    if not any(reasons):
        reasons = [own_check(choice) for choice in chosen]
    if perturbation is not None and method is not None and (applies := perturbation.component.applies):
        what = f"'applies' of '{perturbation.component.name}'"
        with nullcontext() if perturbation.component.built_in else alone(what):
            reasons.append(applies(method.root.component.name, perturbation.settings))
    if any(reasons):
        return next(filter(None, reasons))
    if metric.component.needs("certificate") or metric.component.needs("lipschitz"):
        return _reason_against_bound(model, data, certificate=metric.component.needs("certificate"))
    return ""


def reason_against_shape(choice: Choice, shape: Sequence[int]) -> str:
    """Why a component, with its settings, or its base makes no sense for inputs of a shape; empty if it does.

    Args:
        choice: the component.
        shape: of one input, ``(C, H, W)`` or ``(F,)``.
    """
    name, settings = choice.component.name, choice.component.settings
    if len(shape) == 1 and (choice.component.images or choice.asks_for("images")):
        named = "" if choice.component.images else f" with {choice.settings_text}"
        return f"'{name}'{named} needs images (C, H, W), and an input is a vector of {shape[0]} features"
    pixels = prod(shape[1:]) if len(shape) > 1 else shape[0]
    for setting in (each for each in settings if "pixels" in settings[each].asks):
        value = choice.settings[setting]
        if isinstance(value, (int, float)) and value > pixels:
            return f"setting '{setting}' of '{name}' must be at most the {pixels} pixels of an input; got '{value:g}'"
    return reason_against_shape(choice.base, shape) if choice.base else ""


def _reason_against_bound(model: TrainedModel, data: Data, *, certificate: bool) -> str:
    """Why the model has no certified Lipschitz bound; empty if it has.

    With ``certificate``: why its predictions cannot be certified, which also takes a bound of 1 and the claim of one.
    """
    if certificate and model.lipschitz is None:
        return "the model claims no Lipschitz constant"
    try:
        upper = bounds.upper_bound(model.module, data.shape)
    except XaiboardError as error:
        return f"no Lipschitz bound: {error}"
    except RuntimeError:  # the layers do not fit the images: computing the cell fails with the exact message
        return ""
    if certificate and upper > 1 + bounds.TOLERANCE:
        return f"the model does not pass the Lipschitz audit: upper bound {upper:.6g}"
    return ""
