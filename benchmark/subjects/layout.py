"""The layout of convolutions: on large images their weights are channels-last, in which they run faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from .findings import has_gradient, in_type_of, undisturbed
from .logits import are_same, logits_of

SIDE = 64
"""The shorter side of the images, in pixels, from which weights are laid out channels-last.

It is a rule, and no timing, so that a run can be repeated. On smaller images there is little to gain, and the scores
that were published of them keep their last digits.
"""

Layout = Sequence[tuple[nn.Parameter, Tensor]]
"""Weights, each with the values that it had, in the layout that it had."""


def lay_out(model: nn.Module, x: Tensor) -> Layout:
    """Lays out the weights of 2-D convolutions channels-last, if images are large, and returns what they were.

    With such weights torch computes convolutions, and all that follows them, channels-last, whatever the layout of
    the images is. The network is tried on one image in both layouts. If it raises in the new one, as code does that
    calls ``view`` on the output of a convolution, or if it computes something else, it keeps the layout it had.

    Args:
        model: the network; weights that are computed, quantised or part of TorchScript stay as they are.
        x: images, ``(B, C, H, W)``; other inputs change nothing.
    """
    before = [(weight, weight.data) for weight in _weights(model)] if _are_large(x) else []
    if not before:
        return []
    x = in_type_of(model, x[:1].detach())
    try:
        logits, gradient = _tried(model, x)
    except Exception:  # the examination says what a network raises
        return []
    for weight, values in before:
        weight.data = values.contiguous(memory_format=torch.channels_last)
    try:
        again, gradient_again = _tried(model, x)
        same = are_same(logits, again) and gradient == gradient_again
    except Exception:  # whatever a network raises that relies on the layout
        same = False
    if same:
        return before
    put_back(before)
    return []


def put_back(before: Layout) -> None:
    """Gives weights the layout that they had."""
    for weight, values in before:
        weight.data = values


@contextmanager
def laid_out(model: nn.Module, x: Tensor) -> Iterator[None]:
    """As :func:`lay_out`, for the time of the ``with`` block."""
    before = lay_out(model, x)
    try:
        yield
    finally:
        put_back(before)


def _are_large(x: Tensor) -> bool:
    return x.dim() == 4 and len(x) > 0 and min(x.shape[2:]) >= SIDE


def _weights(model: nn.Module) -> list[nn.Parameter]:
    """The weights of convolutions that are plain parameters, and not channels-last yet."""
    held = (layer._parameters.get("weight") for layer in model.modules() if isinstance(layer, nn.Conv2d))
    plain = (weight for weight in held if type(weight) is nn.Parameter and not weight.is_inference())
    return [weight for weight in plain if not weight.is_contiguous(memory_format=torch.channels_last)]


def _tried(model: nn.Module, x: Tensor) -> tuple[Tensor, bool]:
    """A network's logits for images, and whether they have a gradient."""
    with undisturbed(model, x), torch.no_grad():
        logits = logits_of(model, x)
    return logits, has_gradient(model, x)
