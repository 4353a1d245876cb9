"""Networks as they come: in evaluation mode for a while, copied, and without what compilation put around them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from ..errors import XaiboardError


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Puts all modules into evaluation mode, and each back into its own mode at the end."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def copy_network(model: nn.Module) -> nn.Module:
    """A deep copy, also of a network with weights that hooks compute from others, as ``nn.utils.weight_norm`` does.

    torch refuses to copy such a weight, which has a graph; the copy gets its values, and computes them again when it is
    called.
    """
    computed = [
        value
        for module in model.modules()
        for value in vars(module).values()
        if isinstance(value, Tensor) and not value.is_leaf
    ]
    return copy.deepcopy(model, {id(value): value.detach().clone() for value in computed})


def require_values(model: nn.Module) -> None:
    """Refuses lazy layers that have not seen an input yet, and weights on the device ``meta``.

    Raises:
        XaiboardError: a parameter has no values.
    """
    for name, parameter in model.named_parameters():
        if parameter.is_meta:
            raise XaiboardError(
                f"the model's parameter '{name}' is on the device 'meta' and has no values; load the model's weights"
            )
        if isinstance(parameter, UninitializedParameter):
            raise XaiboardError(
                f"the model's parameter '{name}' has no values yet; call the model once with images, and train it"
            )


class Scripted(nn.Module):
    """TorchScript as the only part of a module, which can be given hooks.

    Args:
        network: the scripted or traced network.
    """

    def __init__(self, network: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.network = network
        self.training = network.training

    def forward(self, x: Tensor) -> Tensor:
        """What the network returns."""
        return self.network(x)


def plain(model: nn.Module) -> nn.Module:
    """The network that was compiled, or a module around one that is TorchScript; any other network itself.

    Compiled code does not call hooks that are put on the layers later on.
    """
    original = getattr(model, "_orig_mod", None)
    if isinstance(original, nn.Module):
        return original
    return Scripted(model) if isinstance(model, torch.jit.ScriptModule) else model
