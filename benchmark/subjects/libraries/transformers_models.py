"""Classifiers of images of Hugging Face by the name of a repository, or a folder that ``save_pretrained`` wrote."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from safetensors import SafetensorError
from torch import nn

from ...errors import XaiboardError, message
from ...toolkit.preprocessing import Preprocessing
from ..weights_file import require_fit
from .hub_cache import WEIGHTS, cached, cached_weights, download, folder_of
from .wanted import Described, Wanted, absent, drawing, importing

FILES = {"AutoConfig": "config.json", "AutoImageProcessor": "preprocessor_config.json"}
"""What each class of transformers reads."""

SQUEEZED = 384
"""Shorter side from which on ConvNeXt's processor no longer cuts images, but squeezes them into a square."""


def describe(wanted: Wanted) -> Described:
    """What the configuration and the image processor say.

    Raises:
        XaiboardError: transformers is not installed, the files are not in its cache, or the processor does something
            else than resizing, cutting and normalising.
    """
    configuration = _load(wanted, "AutoConfig")
    return Described(
        _preprocessing(wanted, _load(wanted, "AutoImageProcessor")),
        wanted.classes or configuration.num_labels,
        getattr(configuration, "num_channels", 3),
    )


def build(wanted: Wanted) -> nn.Module:
    """The network with its weights.

    Raises:
        XaiboardError: as :func:`describe`; or there are no weights of a classifier, or they do not fit.
    """
    models = _transformers().AutoModelForImageClassification
    if wanted.cached:
        if not Path(wanted.name).is_dir():
            cached_weights(wanted, wanted.name, "hf")
        network, found = models.from_pretrained(
            wanted.name, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        if missing := sorted(found["missing_keys"]):
            raise XaiboardError(
                f"'{wanted.typed}' has no weights of a classifier: '{missing[0]}' and others would be random; name a"
                " repository whose network was trained to classify images"
            )
        return network
    configuration = _load(wanted, "AutoConfig")
    if wanted.classes:
        configuration.num_labels = wanted.classes
    if wanted.side and hasattr(configuration, "image_size"):
        configuration.image_size = wanted.side
    if wanted.file is not None:
        return _with_weights(models, configuration, wanted, wanted.file)
    with drawing(wanted.seed):
        return models.from_config(configuration)


def _with_weights(models: Any, configuration: Any, wanted: Wanted, file: Path) -> nn.Module:  # noqa: ANN401
    """The network with the weights of a file.

    They are read by transformers, which knows the names that older versions of it gave to tensors; it reads folders.
    """
    with TemporaryDirectory() as folder:
        configuration.save_pretrained(folder)
        Path(folder, WEIGHTS).symlink_to(file.resolve())
        try:
            network, found = models.from_pretrained(
                folder, local_files_only=True, ignore_mismatched_sizes=True, output_loading_info=True
            )
        except (OSError, SafetensorError) as error:
            raise XaiboardError(f"weights '{file}' cannot be read ({error}); restore the file") from None
    shapes = {key: (tuple(has), tuple(own)) for key, has, own in found["mismatched_keys"]}
    require_fit(
        file,
        wanted.typed,
        missing=found["missing_keys"] - shapes.keys(),
        more=found["unexpected_keys"],
        other=[f"'{key}' is {has}, and {own} in the network" for key, (has, own) in shapes.items()],
    )
    return network


def _preprocessing(wanted: Wanted, processor: Any) -> Preprocessing:  # noqa: ANN401 - of a library
    """What an image processor does."""
    odd = ("do_flip_channel_order", "rescale_offset", "include_top", "do_pad")
    if not processor.do_resize or any(getattr(processor, each, False) for each in odd):
        raise XaiboardError(
            f"'{wanted.typed}' prepares its images in a way that is not known here ({type(processor).__name__}); build"
            " it from Python, and give a module that does so itself"
        )
    resize, size = _sizes(processor)
    if wanted.side:
        resize, size = (wanted.side, wanted.side), (wanted.side, wanted.side)
    if processor.do_normalize:
        mean, std = tuple(processor.image_mean), tuple(processor.image_std)
    else:
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return Preprocessing(
        size,
        resize,
        mean,
        std,
        Image.Resampling(int(processor.resample)).name.lower(),
    )


def _sizes(processor: Any) -> tuple[tuple[int, int] | int, tuple[int, int]]:  # noqa: ANN401 - of a library
    """To which size it resizes, and the size that is left when the centre is cut out."""
    size = processor.size
    shorter = size.shortest_edge
    resize = (size.height, size.width) if shorter is None else shorter
    if shorter is not None and (share := getattr(processor, "crop_pct", None)):
        whole = (shorter, shorter)
        return (whole if shorter >= SQUEEZED else int(shorter / share)), whole
    if processor.do_center_crop:
        return resize, (processor.crop_size.height, processor.crop_size.width)
    return resize, (resize, resize) if isinstance(resize, int) else resize


def _load(wanted: Wanted, kind: str) -> Any:  # noqa: ANN401 - of a library that may be absent
    """What a class of transformers reads from a folder or the cache."""
    try:
        return getattr(_transformers(), kind).from_pretrained(wanted.name, local_files_only=True)
    except (OSError, ValueError) as error:
        name, file = wanted.name, FILES[kind]
        if not name or Path(name).is_dir() or cached(name, file, "hf"):
            raise XaiboardError(f"'{wanted.typed}' cannot be read: {message(error)}") from None
        get = f"{download(name)}, or name a folder that save_pretrained wrote"
        raise absent(wanted, "no configuration", file, folder_of(name, "hf"), get) from None


def _transformers() -> Any:  # noqa: ANN401 - a module that may be absent
    with importing("transformers", "hf"):
        return import_module("transformers")
