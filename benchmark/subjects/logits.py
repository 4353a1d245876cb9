"""Logits: what they must look like, how other outputs are brought into that form, and when two are the same."""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

ON_GPU = 2**-10
"""Relative spacing of float32 on a GPU, where products may be rounded to 10 bits."""

CANCELLED = 16
"""By how many spacings of its usual size a logit may change that is the small difference of large numbers."""


def as_logits(_model: nn.Module, args: tuple[Any, ...], output: Any) -> Any:  # noqa: ANN401 - whatever a network returns
    """The logits in an output of Hugging Face's kind, in the type of the input; anything else as it is."""
    output = getattr(output, "logits", output)
    if isinstance(output, Tensor) and output.is_floating_point() and args and isinstance(args[0], Tensor):
        return output.to(args[0].dtype)
    return output


def logits_of(model: nn.Module, x: Tensor) -> Any:  # noqa: ANN401 - whatever a network returns
    """A copy of what a network returns for a copy of ``x``, brought into form; it may change what it returned."""
    found = as_logits(model, (x,), model(x.clone()))
    return found.clone() if isinstance(found, Tensor) else found


def wrong_form(output: object, count: int) -> str:
    """Why an output is no logits of ``count`` images; empty if it is."""
    if not is_dense(output):
        return (
            f"it returns {described(output)} where logits (B, K) are needed; wrap it so that it returns these"
        )
    if output.dim() != 2 or len(output) != count or not output.is_floating_point():
        return (
            f"it returns {output.dtype} of shape {tuple(output.shape)} for {count} images where floating-point logits"
            " (B, K) are needed"
        )
    return "" if output.isfinite().all() else "its logits are not finite"


def are_same(one: Tensor, other: Tensor) -> bool:
    """Whether two tables of logits ``(N, K)`` differ by no more than rounding.

    Each class is compared on its own scale: logits of ``-1e9``, which mask a class, say nothing about the others. What
    is not finite in both counts as the same.
    """
    if one.shape != other.shape:
        return False
    spacing = torch.finfo(one.dtype).eps
    if one.device.type != "cpu" and one.dtype == torch.float32:
        spacing = ON_GPU
    size = torch.maximum(_finite(one).abs(), _finite(other).abs()).amax(0)
    tolerance = spacing**0.5 * size + CANCELLED * spacing * usual_variation(one)
    both = ~one.isfinite() & ~other.isfinite()
    return bool((((one - other).abs() <= tolerance) | both).all())


def usual_variation(logits: Tensor) -> Tensor:
    """By how much the logit of a usual class differs from input to input, ``()``: the median of those that differ.

    Args:
        logits: ``(N, K)``.
    """
    finite = _finite(logits).double()
    variation = finite.amax(0) - finite.amin(0)
    varying = variation[variation > 0]
    return varying.quantile(0.5) if len(varying) else variation.new_zeros(())


def _finite(values: Tensor) -> Tensor:
    return torch.where(values.isfinite(), values, 0)


def is_dense(value: object) -> TypeGuard[Tensor]:
    """Whether a value is a tensor that has a number in each of its places."""
    return isinstance(value, Tensor) and value.layout is torch.strided and not value.is_nested


def described(output: object) -> str:
    """What something is that is no tensor of logits, in words."""
    if isinstance(output, Tensor):
        return f"a {'nested' if output.is_nested else str(output.layout).removeprefix('torch.')} tensor"
    if isinstance(output, (tuple, list)):
        parts = [
            f"{tuple(each.shape)}" if isinstance(each, Tensor) else type(each).__name__ for each in output
        ]
        return f"a {type(output).__name__} ({', '.join(parts)})"
    return f"a {type(output).__name__}"
