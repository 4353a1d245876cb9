"""What a model is made of, as far as rules for layers need to know it."""

from collections import Counter
from collections.abc import Iterator

from torch import nn

LINEAR = (
    nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d,
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d,
)  # fmt: skip
"""Affine layers with weights (batch normalisation in eval mode)."""

AVERAGES = (
    nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d,
    nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d,
)  # fmt: skip
"""Linear layers without weights."""

SHAPES = (
    nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.ZeroPad2d,
)  # fmt: skip
"""Layers that pass values on (dropout in eval mode)."""

MAXIMA = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)


def layers(model: nn.Module) -> Iterator[nn.Module]:
    """Layers without parts, and those of :data:`LINEAR` with theirs, as often as the model contains them."""
    parts = _parts(model)
    if not parts:
        yield model
    for part in parts:
        yield from layers(part)


def is_sequence(model: nn.Module) -> bool:
    """Whether the output is that of one layer after the other: nothing is done outside of layers."""
    parts = _parts(model)
    return not parts or (type(model) is nn.Sequential and all(map(is_sequence, parts)))


def used_twice(model: nn.Module) -> str:
    """The type of a layer that the model contains twice, or nothing."""
    counts = Counter(layers(model))
    return next((type(layer).__name__ for layer, times in counts.items() if times > 1), "")


def _parts(model: nn.Module) -> list[nn.Module]:
    """What a module consists of; a parametrised weight is no part."""
    # children() would leave out a part that is used twice
    return [] if isinstance(model, LINEAR) else [part for part in model._modules.values() if part is not None]
