"""The functions by which a network computes its output from an input, as autograd keeps them for the gradient."""

from __future__ import annotations

import re

from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge


def functions_between(x: Tensor, output: Tensor) -> list[Node]:
    """Functions through which the gradient of ``output`` at ``x`` passes, from the last one to the first.

    Whoever calls a function, and however, it is there: scripted code, ``torch.vmap`` and ``torch.ops`` too. What is
    computed from weights alone, or for another output, is not.

    Args:
        x: a tensor that requires a gradient.
        output: what was computed, with a gradient.
    """
    later: dict[Node, list[Node]] = {}
    """For each function, those that use its result."""
    todo = [] if output.grad_fn is None else [output.grad_fn]
    order = list(todo)
    while todo:
        function = todo.pop()
        for earlier, _ in function.next_functions:
            if earlier is None:
                continue
            if earlier not in later:
                later[earlier] = []
                todo.append(earlier)
                order.append(earlier)
            later[earlier].append(function)
    todo, passed = [get_gradient_edge(x).node], set()
    while todo:
        function = todo.pop()
        if function not in passed:
            passed.add(function)
            todo += later.get(function, [])
    return [function for function in order if function in passed]


def kind_of(function: Node) -> str:
    """The function's name as torch writes it: ``masked_fill`` for a node ``MaskedFillBackward0``."""
    name = re.sub(r"(Backward)?\d*$", "", function.name().rsplit(":")[-1])
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
