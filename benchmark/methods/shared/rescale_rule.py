"""The rescale rule of DeepLIFT: to which models it applies, and the contributions by it."""

import captum.attr
import torch
from torch import Tensor, nn

from ...errors import XaiboardError
from .layers import AVERAGES, LINEAR, MAXIMA, SHAPES, is_sequence, layers, used_twice
from .traceless import traceless

RESCALED = (nn.ReLU, nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus)
"""Activations with a rescale rule in captum. Softmax is left out, since its rule mixes the samples of a batch."""

TOLERANCE = 1e-3
"""Largest share of the sum of magnitudes by which attributions may fail to add up; more is an error."""


def without_rescale_rule(model: nn.Module) -> str | None:
    """Why captum would differentiate a part of the model in place of applying the rescale rule, or None."""
    for layer in layers(model):
        if isinstance(layer, MAXIMA) and _overlap(layer):
            return f"DeepLIFT cannot share out the maxima of windows that overlap: {layer}"
        if type(layer) not in RESCALED and not isinstance(layer, LINEAR + AVERAGES + SHAPES + MAXIMA):
            return f"DeepLIFT has no rule for {type(layer).__name__}, and would silently take its gradient"
    if twice := used_twice(model):
        return f"DeepLIFT needs a layer of its own at each place, and a {twice} is used twice"
    return None


def contributions(model: nn.Module, x: Tensor, baseline: Tensor, target: Tensor) -> Tensor:
    """DeepLIFT contributions against a baseline for each input; ``baseline`` is shaped like ``x``."""
    with traceless(model):
        attribution = _DeepLift(model).attribute(x.detach().requires_grad_(), baseline, target).detach()
    if not is_sequence(model):
        _check_sum(model, x, baseline, target, attribution)
    return attribution


def _overlap(layer: nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d) -> bool:
    stride, size, dilation = map(torch.as_tensor, (layer.stride, layer.kernel_size, layer.dilation))
    return bool((stride < size).any() or (dilation > 1).any())


def _check_sum(model: nn.Module, x: Tensor, baseline: Tensor, target: Tensor, attribution: Tensor) -> None:
    with torch.no_grad():
        change = (model(x) - model(baseline)).gather(1, target[:, None])[:, 0]
    parts = attribution.flatten(1)
    missing = (parts.sum(1) - change).abs() > TOLERANCE * (parts.abs().sum(1) + change.abs())
    if missing.any():
        raise XaiboardError(
            f"DeepLIFT does not add up on {int(missing.sum())} of {len(x)} inputs: the model does something outside"
            " of its layers; write every activation as a layer (nn.ReLU), or leave 'deeplift' out"
        )


class _DeepLift(captum.attr.DeepLift):
    """captum's DeepLIFT with a correction for max-pooling.

    Where the maximum does not change from the baseline to the input, captum takes the gradient of the first sample for
    all samples; here each sample keeps its own.
    """

    def _backward_hook(self, module: nn.Module, grad_input: Tensor, grad_output: Tensor) -> Tensor:
        pooled = isinstance(module, MAXIMA)
        given = module.input if pooled and isinstance(module.input, Tensor) else None
        multipliers = super()._backward_hook(module, grad_input, grad_output)
        if given is None:
            return multipliers
        one, other = given.chunk(2)
        unchanged = ((one - other).abs() < self.eps).repeat(2, *(1,) * (given.dim() - 1))
        return torch.where(unchanged, grad_input, multipliers)
