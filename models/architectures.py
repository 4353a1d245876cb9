"""Architectures: plain networks, and 1-Lipschitz ones of the same shape with other activations and pooling."""

from __future__ import annotations

from math import prod

from torch import nn

from .layers import GroupSort2, HalfHuber, L2NormPool2d

Layer = type[nn.Module]


def linear(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """One linear layer: ``(B, C, H, W)`` to ``(B, classes)``."""
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), classes))


def mlp(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Two hidden layers of 128 and 64 units, ReLU: ``(B, C, H, W)`` to ``(B, classes)``."""
    return _dense(shape, classes, nn.ReLU)


def lipmlp(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """:func:`mlp` with GroupSort2 activations; 1-Lipschitz if no weight matrix has a norm above 1."""
    return _dense(shape, classes, GroupSort2)


def cnn(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Two convolutions of 16 and 32 channels with average pooling, one hidden layer of 64 units, ReLU."""
    return _convolutional(shape, classes, nn.ReLU, nn.AvgPool2d)


def half_huber_cnn(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """:func:`cnn` with half-Huber activations, which have second derivatives: for penalties on the input gradient."""
    return _convolutional(shape, classes, HalfHuber, nn.AvgPool2d)


def lipcnn(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """:func:`cnn` with GroupSort2 activations and L2 pooling; 1-Lipschitz if no layer has a norm above 1."""
    return _convolutional(shape, classes, GroupSort2, L2NormPool2d)


def _dense(shape: tuple[int, ...], classes: int, activation: Layer) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(prod(shape), 128),
        activation(),
        nn.Linear(128, 64),
        activation(),
        nn.Linear(64, classes),
    )


def _convolutional(shape: tuple[int, ...], classes: int, activation: Layer, pooling: Layer) -> nn.Sequential:
    channels, height, width = shape
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1),
        activation(),
        pooling(2),
        nn.Conv2d(16, 32, 3, padding=1),
        activation(),
        pooling(2),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), 64),
        activation(),
        nn.Linear(64, classes),
    )
