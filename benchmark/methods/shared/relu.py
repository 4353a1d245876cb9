"""Other rules in the place of the gradient at ReLUs, wherever the network executes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from ...errors import XaiboardError
from ...toolkit.rng import SampleRng
from .graph import functions_between, kind_of
from .hidden_relus import first_that_differs, may_be_relu
from .layers import name_of
from .replaced_rules import Rule, Trace, run_with_rules

ReluRule = Callable[[Tensor, Tensor], Tensor]
"""What goes back through a ReLU: from what comes back to it, and the gradient by torch."""


@torch.enable_grad()
def gradient_by_rule(model: nn.Module, x: Tensor, target: Tensor, rule: ReluRule) -> Tensor:
    """The gradient of the target's logit, shaped like ``x``, with a rule at each ReLU that is executed.

    It does not matter whether a ReLU is a layer or a call of a function, works in place, or is used several times.

    Raises:
        XaiboardError: the model executes no ReLU, or something that may be a ReLU without saying so.
    """
    x = x.detach().requires_grad_()
    logits = _logits_by_rule(model, x, rule)[0]
    return torch.autograd.grad(logits.gather(1, target[:, None]).sum(), x)[0]


def _logits_by_rule(model: nn.Module, x: Tensor, rule: ReluRule) -> tuple[Tensor, Trace, list[Node]]:
    """The logits, whose gradient follows the rule, what was called, and the functions between ``x`` and the logits."""
    logits, trace = run_with_rules(model, x, partial(_rule_of, rule))
    functions = functions_between(x, logits)
    layers = [call.layer for call in trace.inner]
    if not any(map(_is_replaced, functions)) or (
        len(trace.replaced) == len(layers) and not any(isinstance(layer, nn.ReLU) for layer in layers)
    ):
        raise XaiboardError("the model has no nn.ReLU, so that the result would be the plain gradient")
    if trace.inner:
        raise XaiboardError(_in_words(trace.inner[0].function, name_of(model, trace.inner[0].layer)))
    for function in functions:
        if may_be_relu(function):
            raise XaiboardError(_doubt(model, trace, function))
        if isinstance(function, torch.autograd.function.BackwardCFunction) and not _is_replaced(function):
            raise XaiboardError(
                f"it cannot be told whether the function {type(function).__name__.removesuffix('Backward')} is a ReLU,"
                " since its gradient is the model's own; write each ReLU as nn.ReLU"
            )
    return logits, trace, functions


def guided(out: Tensor, plain: Tensor) -> Tensor:
    """Of a ReLU that was active, positive gradients alone."""
    return plain.relu()


def deconvolved(out: Tensor, plain: Tensor) -> Tensor:
    """Positive gradients alone, whether or not the ReLU was active."""
    return out.relu()


@torch.enable_grad()
def finds_relus(model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, Any]) -> None:
    """Runs two images, which checks that every ReLU is found.

    Raises:
        XaiboardError: the model executes no ReLU, or something that may be a ReLU without saying so.
    """
    another = SampleRng(0, range(len(x)), "another image").uniform(x)
    (_, trace, one), (_, _, other) = (
        _logits_by_rule(model, image.detach().requires_grad_(), guided) for image in (x, another)
    )
    if hidden := first_that_differs(one, other):
        raise XaiboardError(_doubt(model, trace, hidden))


def _is_replaced(function: Node) -> bool:
    return type(function).__name__ == "_ReplacedBackward"


def _doubt(model: nn.Module, trace: Trace, function: Node) -> str:
    """Which function may be a ReLU, with the layer that calls it if that is known."""
    kind = kind_of(function)
    callers = (call.layer for call in trace.others if call.function == kind)
    return _in_words(kind, name_of(model, next(callers, model)))


def _in_words(function: str, layer: str) -> str:
    return f"it cannot be told whether '{function}' in {layer} is a ReLU; write each ReLU as nn.ReLU"


def _rule_of(
    rule: ReluRule, function: str, args: tuple[Any, ...], settings: Mapping[str, Any]
) -> Rule | None:
    if function == "relu" or _clamps_at_zero(function, args, settings):
        return lambda given, result, out, plain: rule(out, plain)
    return None


def _clamps_at_zero(function: str, args: tuple[Any, ...], settings: Mapping[str, Any]) -> bool:
    """Whether it is a ReLU by another name: a bound of 0 below, and none above."""
    if function not in ("clamp", "clamp_min", "clip"):
        return False
    low = _number(args[1] if len(args) > 1 else settings.get("min"))
    high = args[2] if len(args) > 2 else settings.get("max")
    return not isinstance(low, Tensor) and low == 0 and high is None


def _number(bound: object) -> object:
    return bound.item() if isinstance(bound, Tensor) and bound.numel() == 1 else bound
