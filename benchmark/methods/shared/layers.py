"""The layers of a model, for methods with a rule for each kind of layer."""

from collections import Counter
from collections.abc import Iterator

from torch import nn

from ...toolkit.executed import opaque_part

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
"""Layers that pass values on unchanged (dropout in eval mode)."""

MAXIMA = (
    nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
)  # fmt: skip


def unfollowed(model: nn.Module) -> str:
    """Why the layers of the model cannot be followed while it runs; empty if they can."""
    part = opaque_part(model)
    return (
        part and f"the layers of the model cannot be followed, since {part}; give the model as it was before"
    )


def name_of(model: nn.Module, layer: nn.Module) -> str:
    """Type and dotted name of a layer, for messages."""
    name = next((name for name, other in model.named_modules() if other is layer), "")
    return f"{type(layer).__name__} '{name}'" if name else type(layer).__name__


def layers(model: nn.Module) -> Iterator[nn.Module]:
    """Modules without submodules, and those in :data:`LINEAR`; each as often as the model contains it."""
    parts = _parts(model)
    if not parts:
        yield model
    for part in parts:
        yield from layers(part)


def is_sequence(model: nn.Module) -> bool:
    """Whether the model is one layer after the other, and computes nothing outside its layers."""
    parts = _parts(model)
    return not parts or (type(model) is nn.Sequential and all(map(is_sequence, parts)))


def keeps_its_forward(layer: nn.Module) -> bool:
    """Whether a layer has the ``forward`` of torch's layer of its kind: no subclass and no assignment changes it."""
    own = {type(layer).forward} | {vars(layer).get("forward", type(layer).forward)}
    kinds = [kind.forward for kind in type(layer).__mro__ if kind.__module__.startswith("torch.nn.modules.")]
    return own <= {kinds[0]}


def used_twice(model: nn.Module) -> str:
    """Type and dotted name of a layer that the model uses twice; empty if there is none."""
    counts = Counter(layers(model))
    return next((name_of(model, layer) for layer, times in counts.items() if times > 1), "")


def _parts(model: nn.Module) -> list[nn.Module]:
    """Submodules of a module; the module of a parametrised weight does not count."""
    # not children(), which leaves out the second use of a submodule
    return [] if isinstance(model, LINEAR) else [part for part in model._modules.values() if part is not None]
