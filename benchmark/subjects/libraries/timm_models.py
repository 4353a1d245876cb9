"""Networks of timm by name: ``resnet18.a1_in1k``."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from math import floor
from typing import Any

from torch import nn

from ...errors import XaiboardError
from ...toolkit.preprocessing import Preprocessing
from ..weights_file import load_weights
from .hub_cache import cached_weights
from .wanted import Described, Wanted, drawing, importing


def describe(wanted: Wanted) -> Described:
    """What timm's configuration says.

    Raises:
        XaiboardError: timm is not installed, has no such network, or prepares its images in another way.
    """
    found = _configuration(wanted)
    channels, *size = found.input_size
    rows, columns = 2 * [wanted.side] if wanted.side else size
    share = found.crop_pct or 0.875
    larger = floor(rows / share), floor(columns / share)
    if found.crop_mode not in ("center", "squash"):
        raise XaiboardError(
            f"'{wanted.typed}' wants images with a frame (crop_mode={found.crop_mode}), which is not known here; build"
            " it from Python, and give the module"
        )
    whole = found.crop_mode == "squash" or larger[0] != larger[1]
    return Described(
        Preprocessing(
            (rows, columns), larger if whole else larger[0], found.mean, found.std, found.interpolation
        ),
        wanted.classes or found.num_classes,
        channels,
    )


def build(wanted: Wanted) -> nn.Module:
    """The network with its weights.

    Raises:
        XaiboardError: as :func:`describe`; or there are no weights, or they do not fit.
    """
    timm, found = _timm(), _configuration(wanted)
    settings: dict[str, Any] = {"num_classes": wanted.classes or None}
    if wanted.side and found.fixed_input_size:
        settings["img_size"] = wanted.side
    if wanted.cached:
        path = cached_weights(wanted, str(found.hf_hub_id), "timm")
        overlay = {"file": str(path), "custom_load": False}
        return timm.create_model(wanted.name, pretrained=True, pretrained_cfg_overlay=overlay, **settings)
    with drawing(wanted.seed):
        network = timm.create_model(wanted.name, pretrained=False, **settings)
    if wanted.file is not None:
        load_weights(network, wanted.file, wanted.typed)
    return network


def _configuration(wanted: Wanted) -> Any:  # noqa: ANN401 - of a library that may be absent
    """The configuration of a network; without a tag after the dot, that of its usual weights."""
    timm = _timm()
    try:
        found = timm.get_pretrained_cfg(wanted.name)
    except RuntimeError:  # an architecture without weights of that tag
        found = None
    if found is None:
        names = [*timm.list_models(), *timm.list_pretrained()]
        near = get_close_matches(wanted.name, names, n=1, cutoff=0.5)
        hint = f"did you mean 'timm:{near[0]}'?" if near else "timm.list_pretrained() lists them"
        raise XaiboardError(f"timm has no network named '{wanted.name}'; {hint}")
    return found


def _timm() -> Any:  # noqa: ANN401 - a module that may be absent
    with importing("timm", "timm"):
        return import_module("timm")
