"""The rescale rule of DeepLIFT: contributions by it, and the check that they add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import XaiboardError
from ...toolkit.rng import SampleRng
from .baselines import undefined_on_baseline
from .layers import AVERAGES, LINEAR, MAXIMA, SHAPES, name_of
from .replaced_rules import Rule, Trace, run_with_rules
from .rounding import rounding

RESCALED = (
    nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus,
)  # fmt: skip
"""Activations that are rescaled."""

RESCALED_CALLS = {
    "relu", "relu6", "hardtanh", "elu", "leaky_relu", "sigmoid", "tanh", "softplus", "clamp", "clamp_min", "clip",
}  # fmt: skip
"""The same as functions."""

MAXIMA_CALLS: Mapping[str, Callable[..., Any]] = {
    f"{kind}max_pool{axes}d": getattr(functional, f"{kind}max_pool{axes}d_with_indices")
    for kind in ("", "adaptive_")
    for axes in (1, 2, 3)
}
"""Maxima of windows, and what also says where they are."""

SAME = 1e-10
"""Smallest change of an input, in its own units, whose ratio is taken; below it the gradient stands."""

LOGITS = 16
"""Largest number of logits for which the rule checks itself on a network."""


def contributions(model: nn.Module, x: Tensor, baseline: Tensor, target: Tensor) -> Tensor:
    """DeepLIFT contributions against a baseline for each input; ``baseline`` is shaped like ``x``.

    Raises:
        XaiboardError: they do not sum to the change of the logit, or a layer has no rule.
    """
    return _contributions(model, x, baseline, [target])


@torch.enable_grad()
def _contributions(model: nn.Module, x: Tensor, baseline: Tensor, targets: Sequence[Tensor]) -> Tensor:
    """The contributions to several logits of each input, one below the other, ``(targets * B, ...)``.

    There is one forward pass for all of them, and a backward pass for each.
    """
    x = x.detach().requires_grad_()
    logits, trace = run_with_rules(model, torch.cat([x, baseline]), _rule_of)
    if layer := next(filter(_without_rule, trace.layers), None) or next(
        (call.layer for call in trace.inner), None
    ):
        raise XaiboardError(
            f"DeepLIFT has no rule for {type(layer).__name__}, and would silently take its gradient"
        )
    attributions, changes = [], []
    for target in targets:
        chosen = logits.gather(1, target.repeat(2)[:, None])
        multipliers = torch.autograd.grad(chosen.sum(), x, retain_graph=target is not targets[-1])[0]
        attributions.append((x.detach() - baseline) * multipliers)
        changes.append(torch.sub(*chosen.detach()[:, 0].chunk(2)))
    attribution, change = torch.cat(attributions), torch.cat(changes)
    parts = attribution.flatten(1)
    allowed = rounding(x.dtype) * (parts.abs().sum(1) + change.abs())
    missing = ~((parts.sum(1) - change).abs() <= allowed)  # nor does what is not finite add up
    if missing.any():
        suspects = _suspects(model, trace)
        why = f"the model does something for which there is no rule{suspects}; leave 'deeplift' out"
        if not suspects and x.dtype in (torch.float16, torch.bfloat16):
            why = f"{str(x.dtype).removeprefix('torch.')} rounds too coarsely for it; use float32"
        raise XaiboardError(
            f"DeepLIFT does not add up on {int(missing.sum())} of {len(missing)} inputs: {why}"
        )
    return attribution


def adds_up(model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, Any]) -> None:
    """Contributions to several logits of one input, which check themselves; one logit alone may be flat there.

    Raises:
        XaiboardError: they do not add up, a layer has no rule, or the model computes nothing for the baseline.
    """
    if "baseline" not in settings:  # images serve as baselines, as another one does here
        baseline = SampleRng(0, range(len(x)), "another image").uniform(x)
    elif reason := undefined_on_baseline(model, x, target, settings):
        raise XaiboardError(reason)
    else:
        baseline = torch.full_like(x, settings["baseline"])
    with torch.no_grad():
        classes = torch.arange(model(x).shape[1], device=x.device)[:LOGITS]
    _contributions(model, x, baseline, classes.split(1))


def _rule_of(function: str, args: tuple[Any, ...], settings: Mapping[str, Any]) -> Rule | None:
    if function in RESCALED_CALLS:
        return _rescaled
    if function in MAXIMA_CALLS:
        known = {key: value for key, value in settings.items() if key != "return_indices"}
        return partial(_maxima, partial(MAXIMA_CALLS[function], **known), args[1:])
    return None


def _rescaled(given: Tensor, result: Tensor, out: Tensor, plain: Tensor) -> Tensor:
    """The ratio of the changes of output and input, in place of the slope."""
    change, change_out = _change(given), _change(result)
    return torch.where(change.abs() < SAME, plain, out * change_out / change)


def _maxima(
    pool: Callable[..., tuple[Tensor, Tensor]],
    window: tuple[Any, ...],
    given: Tensor,
    result: Tensor,
    out: Tensor,
    plain: Tensor,
) -> Tensor:
    """The change of a maximum, given to the place of the maximum at the input if it rises, at the baseline if it falls.

    Windows may overlap: a place gets the sum of what each window gives to it.
    """
    top, top_at_baseline = result.chunk(2)
    highest = torch.maximum(top, top_at_baseline)
    given_out = out * torch.cat([highest - top_at_baseline, top - highest])
    places = pool(given, *window)[1]
    axes = places.dim() - 2
    shared = torch.zeros_like(given).flatten(-axes)
    shared = shared.scatter_add(-1, places.flatten(-axes), given_out.flatten(-axes)).view_as(given)
    change, total = _change(given), torch.cat(2 * [torch.add(*shared.chunk(2))])
    return torch.where(change.abs() < SAME, plain, total / change)


def _change(both: Tensor) -> Tensor:
    """Inputs less baselines, twice: for the half with the inputs, and that with the baselines."""
    one, other = both.chunk(2)
    return torch.cat(2 * [one - other])


def _without_rule(layer: nn.Module) -> bool:
    """Whether it is one of torch's layers for which there is no rule; layers of other people show in the sum."""
    known = RESCALED + LINEAR + AVERAGES + SHAPES + MAXIMA
    return type(layer).__module__.startswith("torch.") and not isinstance(layer, known)


def _suspects(model: nn.Module, trace: Trace) -> str:
    """The functions that may be to blame, with the layers that call them."""
    found = {
        f"{call.function} in {name_of(model, call.layer)}"
        for call in trace.others
        if call.function not in LINEAR_CALLS
    }
    return f" ({', '.join(sorted(found)[:3])})" if found else ""


LINEAR_CALLS = {
    "conv1d", "conv2d", "conv3d", "linear", "batch_norm", "add", "sub", "radd", "rsub", "iadd", "isub", "cat", "stack",
    "mean", "sum", "neg", "view", "reshape", "flatten", "unflatten", "permute", "transpose", "squeeze", "unsqueeze",
    "chunk", "split", "getitem", "get", "pad", "contiguous", "to", "clone", "dropout", "avg_pool1d", "avg_pool2d",
    "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "interpolate", "expand", "size",
    "dim", "float", "double", "detach", "zeros_like", "ones_like", "mT", "type",
}  # fmt: skip
"""Functions that are linear, so that the gradient is right for them."""
