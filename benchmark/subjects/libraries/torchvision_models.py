"""Networks of torchvision by name: ``resnet50``, or ``resnet50.IMAGENET1K_V1`` for other weights than usual."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import XaiboardError
from ...toolkit.preprocessing import Preprocessing
from ..weights_file import load_weights
from .wanted import Described, Wanted, absent, drawing, importing


def describe(wanted: Wanted) -> Described:
    """What torchvision says with the weights of that name.

    Raises:
        XaiboardError: torchvision is not installed, has no such network or weights, or it is no classifier.
    """
    weights = _weights(wanted)
    transform = weights.transforms()
    if not hasattr(transform, "crop_size"):
        raise XaiboardError(f"'{wanted.typed}' is no classifier of images; name one")
    (crop,) = transform.crop_size
    (resize,) = transform.resize_size
    side = wanted.side or crop
    preprocessing = Preprocessing(
        (side, side),
        resize * side // crop,
        tuple(transform.mean),
        tuple(transform.std),
        transform.interpolation.value,
    )
    return Described(preprocessing, wanted.classes or len(weights.meta["categories"]))


def build(wanted: Wanted) -> nn.Module:
    """The network with its weights.

    Raises:
        XaiboardError: as :func:`describe`; or there are no weights, or they do not fit.
    """
    models, weights = _models(), _weights(wanted)
    architecture = wanted.name.partition(".")[0]
    if wanted.cached:
        path = Path(torch.hub.get_dir(), "checkpoints", weights.url.rpartition("/")[2])
        if not path.is_file():
            get = f"get it from {weights.url}, or give pretrained=FILE.safetensors"
            raise absent(wanted, "no weights", path.name, path, get)
        return models.get_model(architecture, weights=weights, progress=False)
    settings = {"num_classes": wanted.classes} if wanted.classes else {}
    if wanted.side and architecture.startswith("vit_"):
        settings["image_size"] = wanted.side
    with drawing(wanted.seed):
        network = models.get_model(architecture, weights=None, **settings)
    if wanted.file is not None:
        load_weights(network, wanted.file, wanted.typed)
    return network


def _weights(wanted: Wanted) -> Any:  # noqa: ANN401 - of a library that may be absent
    """The entry of the weights that a name means."""
    architecture, _, tag = wanted.name.partition(".")
    try:
        known = _models().get_model_weights(architecture)
    except ValueError:
        raise XaiboardError(
            f"torchvision has no network named '{architecture}'; torchvision.models.list_models() lists them"
        ) from None
    if not tag:
        return known.DEFAULT
    if tag not in known.__members__:
        there = ", ".join(f"'torchvision:{architecture}.{each}'" for each in known.__members__)
        raise XaiboardError(f"torchvision has no weights '{wanted.name}'; there are: {there}")
    return known[tag]


def _models() -> Any:  # noqa: ANN401 - a module that may be absent
    with importing("torchvision", "torchvision"):
        return import_module("torchvision.models")
