"""A small network that stands for any other when passes are counted."""

from __future__ import annotations

from math import prod

import torch
from torch import nn

GRID, KERNEL, CHANNELS = 13, 3, 4
"""About how many pixels the convolution's map has along each side, its kernel and its channels."""


def stand_in(shape: tuple[int, ...], classes: int, layers: int = 2) -> nn.Sequential:
    """A network that costs next to nothing, is 1-Lipschitz, and always has the same weights; in eval mode.

    How many passes a component needs depends on the images, its settings and the number of classes, and on the number
    of layers where it changes them one by one; hardly ever on what the network has learned.

    Args:
        shape: of an image, ``(C, H, W)``, or of a vector, ``(F,)``.
        classes: number of logits.
        layers: how many layers with weights it has; at least two.
    """
    with torch.random.fork_rng(devices=[]):  # layers draw their first weights from the global stream
        reading, features = _image(shape) if len(shape) == 3 else _vector(shape)
        further = [nn.Linear(classes, classes) for _ in range(layers - 2)]
        network = nn.Sequential(*reading, nn.Linear(features, classes), *further)
    with torch.no_grad():
        for parameter in network.parameters():
            scale = 0.1 / (len(parameter) * max(1, parameter[0].numel())) ** 0.5
            parameter.copy_(scale * torch.arange(parameter.numel()).cos().view_as(parameter))
        for layer in further:
            layer.weight.copy_(torch.eye(classes))
    return network.eval()


def _image(shape: tuple[int, ...]) -> tuple[list[nn.Module], int]:
    """Layers that make a few features of an image, and how many these are."""
    height, width = (_Side(side) for side in shape[1:])
    convolution = nn.Conv2d(shape[0], CHANNELS, (height.kernel, width.kernel), (height.stride, width.stride))
    return [convolution, nn.ReLU(), nn.Flatten()], CHANNELS * height.left * width.left


def _vector(shape: tuple[int, ...]) -> tuple[list[nn.Module], int]:
    return [nn.Flatten(), nn.Linear(prod(shape), CHANNELS), nn.ReLU()], CHANNELS


class _Side:
    """How a side of an image is read."""

    def __init__(self, side: int) -> None:
        self.kernel, self.stride = min(KERNEL, side), max(2, side // GRID)
        self.left = (side - self.kernel) // self.stride + 1


def layers_of(network: nn.Module) -> int:
    """How many layers with weights of their own a network has."""
    return sum(next(each.parameters(recurse=False), None) is not None for each in network.modules())
