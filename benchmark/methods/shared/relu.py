"""Other rules in the place of the gradient at ReLUs, wherever the network executes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import XaiboardError
from .layers import name_of
from .replaced_rules import Rule, run_with_rules

HIDING = {
    "where",
    "maximum",
    "max",
    "minimum",
    "abs",
    "sign",
    "heaviside",
    "gt",
    "ge",
    "lt",
    "le",
    "threshold",
}
"""Functions by which a ReLU can be written; the rule would miss it."""

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
    logits, trace = run_with_rules(model, x, partial(_rule_of, rule))
    if len(trace.replaced) == len(trace.inner) and not any(
        isinstance(call.layer, nn.ReLU) for call in trace.inner
    ):
        raise XaiboardError("the model has no nn.ReLU, so that the result would be the plain gradient")
    doubtful = [*trace.inner, *(call for call in trace.others if call.function in HIDING)]
    if doubtful:
        where = name_of(model, doubtful[0].layer)
        raise XaiboardError(
            f"it cannot be told whether '{doubtful[0].function}' in {where} is a ReLU; write each ReLU as nn.ReLU"
        )
    if custom := next(_custom_functions(logits), None):
        raise XaiboardError(
            f"it cannot be told whether the function {custom} is a ReLU, since its gradient is the model's own;"
            " write each ReLU as nn.ReLU"
        )
    return torch.autograd.grad(logits.gather(1, target[:, None]).sum(), x)[0]


def guided(out: Tensor, plain: Tensor) -> Tensor:
    """Of a ReLU that was active, positive gradients alone."""
    return plain.relu()


def deconvolved(out: Tensor, plain: Tensor) -> Tensor:
    """Positive gradients alone, whether or not the ReLU was active."""
    return out.relu()


def finds_relus(model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, Any]) -> None:
    """Explains one input, which checks that every ReLU is found.

    Raises:
        XaiboardError: the model executes no ReLU, or something that may be a ReLU without saying so.
    """
    gradient_by_rule(model, x, target, guided)


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
    low = args[1] if len(args) > 1 else settings.get("min")
    high = args[2] if len(args) > 2 else settings.get("max")
    return _number(low) == 0 and high is None


def _number(bound: object) -> object:
    return bound.item() if isinstance(bound, Tensor) and bound.numel() == 1 else bound


def _custom_functions(output: Tensor) -> Iterator[str]:
    """Names of the functions with a gradient of their own behind ``output``, apart from ours."""
    seen, todo = set(), [output.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        todo += [before for before, _ in node.next_functions]
        if (
            isinstance(node, torch.autograd.function.BackwardCFunction)
            and type(node).__name__ != "_ReplacedBackward"
        ):
            yield type(node).__name__.removesuffix("Backward")
