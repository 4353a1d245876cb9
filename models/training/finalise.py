"""From a plain network to the constrained one that is trained, and back to the plain one that is shipped."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import torch
from torch import nn

from ...benchmark.errors import XaiboardError
from ...benchmark.lipschitz.layer_norms import layer_norm

POWER_ITERATIONS = 3
"""For each training step. With one, which is torch's default, a large step of the optimiser leaves the largest
singular value underestimated, and Bjorck's iteration diverges."""


def constrain(plain: nn.Sequential) -> nn.Sequential:
    """A network shaped like ``plain`` whose linear layers are deel-torchlip's, 1-Lipschitz in training.

    Starts from orthogonal weights of its own; the other layers are used as they are. The last layer is a spectral
    one as well, so that the vector of logits is 1-Lipschitz, and not only each logit.

    Raises:
        XaiboardError: deel-torchlip is not installed.
    """
    return nn.Sequential(*(_constrained(layer) for layer in plain))


@torch.no_grad()
def finalise(trained: nn.Sequential, plain: nn.Sequential, shape: tuple[int, ...]) -> nn.Sequential:
    """``plain`` with the effective weights of ``trained``, in eval mode, no layer above norm 1.

    Args:
        trained: what :func:`constrain` made of a network like ``plain``; comes back in eval mode.
        plain: receives the weights.
        shape: of one input, ``(C, H, W)``.
    """
    blank = torch.zeros(1, *shape, device=next(trained.parameters()).device)
    # deel-torchlip refreshes the weights of eval mode in forward passes in training mode only: without one,
    # they would be those from before the last step of the optimiser.
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
