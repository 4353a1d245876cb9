"""Other rules in the place of gradients: of each function that a network calls, as a layer or by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...errors import XaiboardError
from ...toolkit.executed import Calls, follow
from .layers import LINEAR, unfollowed

Rule = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""What goes back through a function: from its input, its output, what comes back to it, and the gradient by torch."""

RuleOf = Callable[[str, tuple[Any, ...], Mapping[str, Any]], Rule | None]
"""The rule for a function, from its name and arguments; None where torch's gradient is right."""


class Call(NamedTuple):
    """A call of a torch function while the network ran.

    Args:
        function: its name, such as ``relu``, without the ``_`` of functions that work in place.
        layer: the innermost module in whose ``forward`` it was called.
    """

    function: str
    layer: nn.Module


class Trace(NamedTuple):
    """What happened in a forward pass, each in order.

    Args:
        replaced: calls whose gradient a rule replaced.
        inner: those of them that are part of a layer's own formula. The layer is none of torch's, has no submodules,
            and returns something else than the result; one that sorts pairs is an example.
        others: all other calls on tensors that have a gradient.
        layers: modules without submodules that were executed; what computes a layer's weight is left out.
    """

    replaced: list[Call]
    inner: list[Call]
    others: list[Call]
    layers: list[nn.Module]


def run_with_rules(model: nn.Module, x: Tensor, rule_of: RuleOf) -> tuple[Tensor, Trace]:
    """The model's outputs ``(B, K)``, whose gradient is computed by rules, and what happened on the way.

    Every call of a torch function counts, whether a layer makes it, the code between layers, or a subclass of a layer.
    A layer that is called twice, or that works in place, is handled at each call.

    Args:
        model: the network.
        x: inputs that require a gradient, which is enabled.
        rule_of: the rule for a function.

    Raises:
        XaiboardError: a part of the model cannot be followed.
    """
    if reason := unfollowed(model):
        raise XaiboardError(reason)
    trace, stack = Trace([], [], [], []), [model]
    rules = _Rules(trace, stack, rule_of)

    def left(layer: nn.Module, output: object) -> None:
        stack.pop()
        if not any(layer.children()) and not any(isinstance(outer, LINEAR) for outer in stack):
            trace.layers.append(layer)
        rules.settle(layer, output)

    with follow(model, entered=stack.append, left=left), Calls(rules.called):
        return model(x), trace


class _Rules:
    """Puts rules in the place of gradients, and keeps a list of what is called."""

    def __init__(self, trace: Trace, stack: list[nn.Module], rule_of: RuleOf) -> None:
        self.trace, self.stack, self.rule_of = trace, stack, rule_of
        self._running: list[tuple[Call, Tensor]] = []
        """Replaced calls in custom layers that have not returned yet, with their results."""

    def called(self, func: Callable[..., Any], args: tuple[Any, ...], rest: dict[str, Any]) -> Any:  # noqa: ANN401
        """Computes a call, by a rule if there is one."""
        args = args or ((rest.pop("input"),) if "input" in rest else ())
        called = getattr(func, "__name__", "")
        call = Call(called.strip("_"), self.stack[-1])
        varying = [each for each in args if isinstance(each, Tensor) and each.requires_grad]
        if not varying:
            return func(*args, **rest)
        rule = (
            self.rule_of(call.function, args, rest) if len(varying) == 1 and varying[0] is args[0] else None
        )
        if rule is None:
            self.trace.others.append(call)
            return func(*args, **rest)
        given, function = args[0], partial(_on_a_copy, func, args[1:], rest)
        result = _Replaced.apply(given, function, rule)
        if rest.get("inplace") or (called.endswith("_") and not called.endswith("__")):
            result = given.copy_(result)
        self.trace.replaced.append(call)
        if _is_own(call.layer):
            self._running.append((call, result))
        return result

    def settle(self, layer: nn.Module, output: object) -> None:
        """Lists the calls that are part of the formula of ``layer``, which now returns ``output``."""
        inside = [(call, result) for call, result in self._running if call.layer is layer]
        self.trace.inner.extend(call for call, result in inside if result is not output)
        self._running = [each for each in self._running if each[0].layer is not layer]


class _Replaced(torch.autograd.Function):
    """A function of one tensor, with a rule in the place of its gradient."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, function: Callable[[Tensor], Tensor], rule: Rule) -> Tensor:  # noqa: ANN401
        # a copy, not save_for_backward: the model may change the tensor in place later on
        ctx.given, ctx.function, ctx.rule = given.detach().clone(), function, rule
        return function(given.detach())

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        with torch.enable_grad():
            given = ctx.given.requires_grad_()
            result = ctx.function(given)
            plain = torch.autograd.grad(result, given, outputs[0])[0]
        return ctx.rule(given.detach(), result.detach(), outputs[0], plain), None, None


def _on_a_copy(
    func: Callable[..., Tensor], rest: tuple[Any, ...], settings: Mapping[str, Any], given: Tensor
) -> Tensor:
    """The function's result; it may work in place."""
    return func(given.clone(), *rest, **settings)


def _is_own(layer: nn.Module) -> bool:
    """Whether it is a layer of somebody's own, without submodules."""
    return not any(layer.children()) and not type(layer).__module__.startswith("torch.")
