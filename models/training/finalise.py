"""Turns a plain network into a 1-Lipschitz one for training, and the trained one back into a plain one to ship."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import torch
from torch import nn

from ...benchmark.errors import XaiboardError
from ...benchmark.lipschitz.layer_norms import layer_norm

POWER_ITERATIONS = 3
"""Power iterations in each training step, for the largest singular value of a weight. With one, torch's default, the
value is underestimated after a large step of the optimiser, and Bjorck's iteration diverges."""


def constrain(plain: nn.Sequential) -> nn.Sequential:
    """A network for training, shaped like ``plain``, that deel-torchlip keeps 1-Lipschitz in every step.

    Linear layers and convolutions are replaced by deel-torchlip's spectral ones, which start from orthogonal weights of
    their own. The other layers are copied. The last layer is a spectral one too, so that the whole vector of logits is
    1-Lipschitz, not just each single logit.

    Raises:
        XaiboardError: deel-torchlip is not installed.
    """
    return nn.Sequential(*(_constrained(layer) for layer in plain))


@torch.no_grad()
def finalise(trained: nn.Sequential, plain: nn.Sequential, shape: tuple[int, ...]) -> nn.Sequential:
    """Copies the constrained weights of ``trained`` into ``plain``; returns ``plain`` in eval mode.

    A layer whose norm comes out above 1, by rounding, is scaled down to 1.

    Args:
        trained: a trained network that :func:`constrain` made; it is left in eval mode.
        plain: the network with the same layers that receives the weights.
        shape: of one input, ``(C, H, W)``.
    """
    blank = torch.zeros(1, *shape, device=next(trained.parameters()).device)
    # deel-torchlip updates the weights of eval mode only in forward passes in training mode. Without this pass they
    # would be those from before the last step of the optimiser.
    trained.train()(blank)
    trained.eval()
    plain.to(blank.device).eval()
    for source, layer in zip(trained, plain, strict=True):
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.load_state_dict({"weight": source.weight, "bias": source.bias})
            layer.weight /= max(1.0, layer_norm(layer, tuple(blank.shape[1:])))
        blank = layer(blank)
    return plain


def _constrained(layer: nn.Module) -> nn.Module:
    """The spectral layer in place of a linear layer or convolution; a copy of any other layer."""
    torchlip = _torchlip()
    if isinstance(layer, nn.Linear):
        spectral = torchlip.SpectralLinear(layer.in_features, layer.out_features)
    elif isinstance(layer, nn.Conv2d):
        spectral = torchlip.SpectralConv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
        )
    else:
        return copy.deepcopy(layer)
    spectral.parametrizations.weight[0].n_power_iterations = POWER_ITERATIONS
    return spectral


def _torchlip() -> Any:  # noqa: ANN401 - a module that may be absent
    try:
        return importlib.import_module("deel.torchlip")
    except ImportError:
        raise XaiboardError(
            'training a 1-Lipschitz network needs deel-torchlip; install it with pip install "xaiboard[train]"'
        ) from None
