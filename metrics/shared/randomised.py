"""Networks with randomised layers, which are the same for all samples of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.networks import copy_network
from ...benchmark.toolkit.rng import SampleRng

Order = Literal["top_down", "bottom_up", "independent"]


def layers(model: nn.Module) -> list[str]:
    """Names of the modules that have parameters of their own, in the order in which the model registers them.

    Raises:
        XaiboardError: there are none, or a module computes its weights from other tensors.
    """
    for name, module in model.named_modules():
        if is_parametrized(module):
            raise XaiboardError(
                f"layer '{name}' computes its weights from others, and may keep what it computed: drawing them anew"
                " could change nothing; export the network to plain layers (torchlip: vanilla_export)"
            )
    names = [
        name
        for name, module in model.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    ]
    if not names:
        raise XaiboardError("the network has no parameters to draw anew; hold its weights in nn.Parameter")
    return names


def randomised(model: nn.Module, seed: int, order: Order = "top_down") -> Iterator[nn.Module]:
    """Copies of ``model``, each with one more layer randomised than the one before, until all are.

    Layers are taken from the output downwards (``top_down``), or from the input upwards (``bottom_up``). With
    ``independent`` each copy has one randomised layer, and the others are intact. To randomise a layer, each of its
    parameter tensors is replaced by Gaussian numbers with mean 0 and the same root mean square. The layer thus forgets
    what it has learned, and keeps its scale. Buffers, such as running statistics, stay. The numbers depend only on the
    seed and the names of the layer and the parameter.

    Raises:
        XaiboardError: the model has no parameters, or weights that are computed from others.
    """
    names = layers(model)
    other = copy_network(model)
    for name in reversed(names) if order == "top_down" else names:
        if order == "independent":
            other = copy_network(model)
        _draw(other.get_submodule(name), name, seed, 0)
        yield other


def fully_randomised(model: nn.Module, seed: int, draw: int = 0) -> nn.Module:
    """A copy of ``model`` with all layers randomised; draw 0 is the last copy of :func:`randomised`."""
    other = copy_network(model)
    for name in layers(model):
        _draw(other.get_submodule(name), name, seed, draw)
    return other


@torch.no_grad()
def _draw(layer: nn.Module, name: str, seed: int, draw: int) -> None:
    for key, values in layer.named_parameters(recurse=False):
        noise = SampleRng(seed, [draw], f"randomised/{name}/{key}").normal(values[None])[0]
        values.copy_(noise * values.square().mean().sqrt())
