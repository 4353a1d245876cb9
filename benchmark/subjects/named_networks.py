"""Networks of other libraries, and weights in files, by name: ``timm:resnet18.a1_in1k[family=standard]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Annotated

from annotated_types import Ge
from torch import nn

from ..components.choice import choose
from ..components.kinds import Component, Model
from ..components.patterns import parse
from ..components.registry import models
from ..components.signature import read_signature
from ..errors import XaiboardError
from ..toolkit.preprocessing import Preprocessing
from .libraries import timm_models, torchvision_models, transformers_models
from .libraries.wanted import Described, Wanted
from .prepared import Prepared
from .weights_file import load_weights, require_safetensors

LIBRARIES: Mapping[str, ModuleType] = {
    "timm": timm_models,
    "torchvision": torchvision_models,
    "hf": transformers_models,
}
"""What builds the networks, by what stands in front of their names."""

CACHE, RANDOM = "cache", "random"
"""Words for weights that are no file: those in the library's cache, and random ones."""


@dataclass(frozen=True)
class Given:
    """The settings of a network by name.

    Args:
        pretrained: ``cache`` for the weights in the library's cache, a safetensors file, or ``random``.
        seed: of random weights.
        classes: number of logits, for a file or random weights; 0 for what the library says.
        side: rows and columns of the network's images, for a file or random weights; 0 for what the library says.
        family: as part of which it is compared.
        arch: of a file: what it holds the weights of, such as ``timm:resnet18``, or a registered model.
    """

    pretrained: str = CACHE
    seed: Annotated[int, Ge(0)] = 0
    classes: Annotated[int, Ge(0)] = 0
    side: Annotated[int, Ge(0)] = 0
    family: str = "standard"
    arch: str = ""


@dataclass(frozen=True, kw_only=True)
class NamedNetwork(Model):
    """The entry of a network that a library builds.

    Args:
        wanted: what it is asked for.
        library: the library.
    """

    wanted: Wanted
    library: str

    @cached_property
    def described(self) -> Described:
        """What the library says of the network, before it is built."""
        return LIBRARIES[self.library].describe(self.wanted)

    @property
    def preprocessing(self) -> Preprocessing | None:
        """How it wants its images."""
        return self.described.preprocessing

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network with its weights and its preprocessing inside.

        Raises:
            XaiboardError: it has other channels or classes than the data; or what the library raises.
        """
        said = self.described
        if len(shape) != 3 or shape[0] != said.channels:
            raise XaiboardError(
                f"model '{self.name}' takes images of {said.channels} channels, and the data set has inputs of shape"
                f" {shape}; name another data set"
            )
        if classes != said.classes:
            raise XaiboardError(
                f"model '{self.name}' has {said.classes} classes, and the data set has {classes}; name a data set with"
                f" its classes, or weights of that many with classes={classes}"
            )
        return Prepared(LIBRARIES[self.library].build(self.wanted), said.preprocessing)


@dataclass(frozen=True, kw_only=True)
class NetworkOfFile(Model):
    """The entry of a registered architecture with weights from a file.

    Args:
        architecture: name of the registered model.
        file: the weights.
    """

    architecture: str
    file: Path

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network with its weights."""
        network = models[self.architecture].build(shape, classes)
        load_weights(network, self.file, self.name)
        return network


def is_named(item: str) -> bool:
    """Whether a selection's item names a network of a library, or a file of weights."""
    before, colon, _ = item.partition(":")
    return bool(colon) and before in (*LIBRARIES, "file")


def read_named(item: str) -> Model:
    """The entry that an item such as ``timm:resnet18[pretrained=mine.safetensors]`` means; nothing is loaded.

    Raises:
        XaiboardError: a setting that there is not, or a file that is not there or no safetensors.
    """
    typed, settings = parse(item)
    kind, _, name = typed.partition(":")
    given = _read_settings(typed, settings)
    if bool(given.arch) != (kind == "file"):
        raise XaiboardError(
            f"'{item}' given; arch= is needed with a file, and with nothing else, as in"
            " file:mine.safetensors[arch=timm:resnet18]"
        )
    if kind == "file":
        label, architecture, file = f"file:{Path(name).name}", given.arch, require_safetensors(name)
    elif given.pretrained in (CACHE, RANDOM):
        label, architecture, file = typed, typed, None
    else:
        file = require_safetensors(given.pretrained)
        label, architecture = f"{typed}@{file.stem}", typed
    if given.pretrained == RANDOM:  # as the names of networks of one recipe end in their seed
        label += ".untrained" + (f".seed{given.seed}" if given.seed else "")
    library, _, name = architecture.partition(":")
    if library not in LIBRARIES and file is not None:
        if architecture not in models:
            raise XaiboardError(
                f"'{item}' given; arch= must be a network of a library, such as timm:{name or architecture}, or a"
                " registered model, which 'xaiboard list models' prints"
            )
        source = models[architecture].source
        return NetworkOfFile(
            label, _by_name, source, family=given.family, architecture=architecture, file=file
        )
    if label == typed and (given.classes or given.side):
        raise XaiboardError(
            f"'{item}' given; classes= and side= go with pretrained=FILE.safetensors or pretrained=random, since the"
            " weights in the cache are for what the library says"
        )
    seed = given.seed if given.pretrained == RANDOM else None
    wanted = Wanted(label, name, file, seed, given.classes, given.side)
    return NamedNetwork(label, _by_name, architecture, family=given.family, wanted=wanted, library=library)


def _read_settings(typed: str, settings: Mapping[str, object]) -> Given:
    """The settings of a network by name, read as those of a component."""
    read = read_signature("model", typed, _by_name)
    return Given(**choose(Component(typed, _by_name, **read._asdict()), settings).settings)  # pyright: ignore[reportArgumentType]


def _by_name(*, given: Given = Given()) -> None:
    """A network that a library builds, by name."""
