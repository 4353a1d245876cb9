"""ReLUs that a network computes in another way than by calling one, found among the functions behind its logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node

from .graph import kind_of

COMPARE = {"relu", "threshold", "maximum", "minimum", "fmax", "fmin", "abs", "sign", "sgn", "copysign"}
"""Functions that treat positive and negative values differently, whatever their arguments."""

SLOPES: Mapping[str, str] = {
    "leaky_relu": "negative_slope",
    "elu": "alpha",
    "prelu_kernel": "weight",
    "rrelu_with_noise": "lower",
}
"""Activations that are a ReLU if this argument is 0."""

BOUNDS: Mapping[str, tuple[str, str]] = {
    "clamp": ("min", "max"),
    "clamp_min": ("min", ""),
    "clamp_max": ("", "max"),
    "hardtanh": ("min_val", "max_val"),
}
"""Functions with bounds below and above, which are a ReLU if one is 0 and the other is out of reach."""

REACH = 1000
"""Magnitude from which on a bound counts as none: nn.ReLU6 is another activation, a guard against overflow is not."""

STEEP = 100
"""Steepness from which on a softplus is a ReLU with a small round corner."""

EXTREMES = {
    "max", "min", "amax", "amin", "aminmax", "topk", "sort", "kthvalue", "median", "cummax", "cummin",
    "max_pool2_dwith_indices", "max_pool3_dwith_indices", "adaptive_max_pool2_d", "adaptive_max_pool3_d",
}  # fmt: skip
"""Functions that choose among values; a ReLU chooses between a value and a constant."""

SHAPES = {
    "view",
    "unsafe_view",
    "reshape_alias",
    "permute",
    "transpose",
    "unsqueeze",
    "squeeze",
    "clone",
    "t",
}
"""Functions that move values only."""

CHOSEN: Mapping[str, str] = {
    "masked_fill": "mask",
    "masked_scatter": "mask",
    "masked_select": "mask",
    "where": "condition",
    "index_put": "indices",
    "index": "indices",
    "index_select": "index",
    "gather": "index",
}
"""Functions that choose by this argument, which has no gradient."""


def may_be_relu(function: Node) -> bool:
    """Whether a function does what a ReLU does, or is code of which only its author knows what it does."""
    kind = kind_of(function)
    if kind in SLOPES:
        return _is_zero(_argument(function, SLOPES[kind]))
    if kind in BOUNDS:
        low, high = (_argument(function, name) for name in BOUNDS[kind])
        return (_is_zero(low) and _is_far(high, inf)) or (_is_zero(high) and _is_far(low, -inf))
    if kind == "softplus":
        return _argument(function, "beta") >= STEEP
    if kind == "sqrt" or (kind == "pow" and _argument(function, "exponent") == 0.5):
        return _is_square(function.next_functions[0][0])
    if kind in EXTREMES:
        return any(_is_joined(earlier) for earlier, _ in function.next_functions)
    return kind in COMPARE or "differentiable_graph" in kind  # the latter is scripted code


def choices(functions: Sequence[Node]) -> Iterator[tuple[Node, list[Tensor]]]:
    """Of functions that choose values by something without a gradient, what they choose by.

    A ReLU written as ``x * (x > 0)`` chooses otherwise for every image; a mask that belongs to the network does not.
    """
    for function in functions:
        kind = kind_of(function)
        if kind in CHOSEN:
            chosen = _argument(function, CHOSEN[kind])
            listed = chosen if isinstance(chosen, (tuple, list)) else [chosen]
            yield function, [each for each in listed if isinstance(each, Tensor)]
        elif kind == "mul":
            operands = zip(("self", "other"), function.next_functions, strict=True)
            constants = [_argument(function, name) for name, (earlier, _) in operands if earlier is None]
            yield function, [each != 0 for each in constants if isinstance(each, Tensor)]


def first_that_differs(one: Sequence[Node], other: Sequence[Node]) -> Node | None:
    """The first function that chooses otherwise among ``other``, which computed the same for another image."""
    pairs = list(zip(choices(one), choices(other), strict=False))
    return next((function for (function, a), (_, b) in pairs if not _equal(a, b)), None)


def _equal(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


def _argument(function: Node, name: str) -> Any:  # noqa: ANN401 - whatever torch keeps
    return getattr(function, f"_saved_{name}", None)


def _is_zero(bound: object) -> bool:
    return bool((bound == 0).any()) if isinstance(bound, Tensor) else bound == 0


def _is_far(bound: Any, where: float) -> bool:  # noqa: ANN401 - a number or a tensor
    if bound is None:
        return True
    far = bound >= REACH if where > 0 else bound <= -REACH
    return bool(far.all()) if isinstance(far, Tensor) else far


def _is_square(function: Node | None) -> bool:
    """Whether values were squared one by one, perhaps with a constant added: the root of that is their size."""
    parts = [each for each, _ in function.next_functions] if function is not None else []
    if function is None or not parts:
        return False
    if kind_of(function) in SHAPES or (kind_of(function) == "add" and not any(parts[1:])):
        return _is_square(parts[0])
    squared = kind_of(function) == "pow" and _argument(function, "exponent") == 2
    return squared or (kind_of(function) == "mul" and parts[0] is parts[-1] is not None)


def _is_joined(function: Node | None) -> bool:
    """Whether values were stacked, or put beside a constant, to be compared."""
    while function is not None and kind_of(function) in SHAPES:
        function = function.next_functions[0][0]
    if function is None:
        return False
    parts = [earlier for earlier, _ in function.next_functions]
    return kind_of(function) == "stack" or (kind_of(function) == "cat" and None in parts)
