"""Trained models: builds the network of an entry, checks its weights against their card, and loads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..components.kinds import Model
from ..components.registry import models
from ..errors import XaiboardError, message, own_mistakes
from ..toolkit.arguments import checked
from ..toolkit.files import file_name, parse_object, require_regular
from ..toolkit.networks import copy_network, plain, require_values
from ..toolkit.ranges import MOST
from .code_digest import code_digest
from .datasets import load_data
from .named_networks import NamedNetwork, is_named, read_named
from .outputs import Outputs
from .weights_file import load_weights


@dataclass(frozen=True)
class TrainedModel:
    """A network that is ready to be explained.

    Args:
        name: name in tables.
        family: the family as part of which it is compared, such as ``adversarial``.
        module: the network in eval mode, from images in ``[0, 1]`` to logits ``(B, K)``.
        digest: SHA-256 over architecture and parameters.
        version: the entry's version.
        lipschitz: the L2 Lipschitz constant that it claims, or None.
        outputs: what it computes on a few fixed inputs, or None if that is not known.
        inputs: the samples among these inputs, ``(N, ...)``.
        refused: why it cannot be judged, by its examination; empty if it can.
        source: what the entry declares as its source.
        image_bytes: memory of what it keeps of one image for the backward pass; 0 where that was not measured.
    """

    name: str
    family: str
    module: nn.Module
    digest: str
    version: int = 1
    lipschitz: float | None = None
    outputs: Outputs | None = None
    inputs: Tensor | None = None
    refused: str = ""
    source: str = ""
    image_bytes: int = 0

    @property
    def identity(self) -> dict[str, object]:
        """What could change a score."""
        return {"name": self.name, "version": self.version, "weights": self.digest}


def weights_path(entry: Model, dataset: str) -> Path | None:
    """Where the weights of ``entry`` for ``dataset`` must be; None if its function returns it ready to use."""
    if entry.weights is None:
        return None
    return entry.folder / entry.weights.replace("{dataset}", file_name(dataset))


def serves(entry: Model, dataset: str) -> bool:
    """Whether ``entry`` has a network for ``dataset``.

    It has none if it is trained on another data set, or if it has one weights file a data set and that for ``dataset``
    does not exist.
    """
    if entry.dataset is not None and entry.dataset != dataset:
        return False
    path = weights_path(entry, dataset)
    return path is None or "{dataset}" not in (entry.weights or "") or path.is_file()


def load(entry: Model, dataset: str, shape: tuple[int, ...], classes: int) -> TrainedModel:
    """The trained network of ``entry`` for inputs ``shape`` and ``classes`` logits.

    Raises:
        XaiboardError: the model is not trained on this data set; its weights are missing or damaged, or do not fit
            their card or the architecture.
    """
    if not serves(entry, dataset):
        raise XaiboardError(f"model '{entry.name}' is not trained on {dataset}; {_trained_on(entry)}")
    with own_mistakes(f"model '{entry.name}' cannot be built", entry.function):
        module = entry.build(shape, classes)
    if not isinstance(module, nn.Module):
        raise XaiboardError(f"model '{entry.name}' must return an nn.Module; got {type(module).__name__}")
    path = weights_path(entry, dataset)
    if path is not None:
        check_card(entry, path, dataset)
        load_weights(module, path, entry.name)
    trained = wrap(module, entry.name, entry.family, entry.version, entry.lipschitz)
    return replace(trained, source=entry.source)


def wrap(
    module: nn.Module, name: str, family: str = "own", version: int = 1, lipschitz: float | None = None
) -> TrainedModel:
    """A module with its digest; it is put into eval mode."""
    return TrainedModel(name, family, module.eval(), module_digest(module), version, lipschitz)


def wrap_object(module: nn.Module, name: str, family: str = "own") -> TrainedModel:
    """A copy of a module that the user gives as an object.

    It has no version. The code of those of its layers that are not torch's is part of its digest instead, so that a
    changed ``forward`` counts as another model. Of a compiled network the one that was compiled is taken.

    Raises:
        XaiboardError: the module has parameters without values, or code that has no digest.
    """
    require_values(module)
    copied = copy_network(module)
    trained = wrap(copied, name, family)
    not_torch = {type(layer) for layer in module.modules() if not type(layer).__module__.startswith("torch.")}
    code = sorted(code_digest(layer.forward) for layer in not_torch)
    code += [layer.code for layer in module.modules() if isinstance(layer, torch.jit.ScriptModule)]
    digest = sha256("".join([trained.digest, *code]).encode()).hexdigest()
    return replace(trained, module=plain(copied), digest=digest)


def find_model(name: str) -> Model:
    """The entry of a registered model, or of a network of another library by name, ``timm:resnet18.a1_in1k``.

    Raises:
        XaiboardError: there is none.
    """
    return read_named(name) if is_named(name) else models[name]


@checked
def load_model(name: str, *, dataset: str = "") -> nn.Module:
    """A network with its trained weights, in eval mode.

    Args:
        name: a registered model, or a network of another library, such as ``timm:resnet18.a1_in1k``.
        dataset: on which it was trained; a network of another library needs none.

    Raises:
        XaiboardError: an unknown model, or one that is not trained on ``dataset``.
    """
    entry = find_model(name)
    if isinstance(entry, NamedNetwork) and not dataset:
        said = entry.described
        return load(entry, dataset, (said.channels, *said.preprocessing.size), said.classes).module
    if not dataset:
        raise XaiboardError(f"model '{name}' needs the data set on which it was trained; give dataset=")
    path = weights_path(entry, dataset)
    card = read_card(path) if path is not None else None
    if path is not None and card is not None:
        try:
            shape, classes = tuple(card["shape"]), card["classes"]
        except KeyError as error:
            raise XaiboardError(
                f"card '{path.with_suffix('.json')}' has no shape or classes ({message(error)}); restore it, or train"
                " the model again"
            ) from None
        return load(entry, dataset, shape, classes).module
    data = load_data(dataset, samples=1)
    return load(entry, dataset, data.shape, len(data.classes)).module


def read_card(weights: Path) -> dict | None:
    """The content of the JSON card beside a weights file, or None if there is no card.

    Raises:
        XaiboardError: the card is not a JSON object, or its numbers are something else.
    """
    path = weights.with_suffix(".json")
    if not path.exists():
        return None
    try:
        require_regular(path)
        card = parse_object(path.read_bytes())
        if wrong := [name for name, fits in _NUMBERS.items() if name in card and not fits(card[name])]:
            raise ValueError(f"its '{wrong[0]}' is {card[wrong[0]]!r}")
    except (ValueError, OSError) as error:
        raise XaiboardError(
            f"card '{path}' is damaged ({error}); restore it or train the model again"
        ) from None
    return card


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value <= MOST


_NUMBERS: Mapping[str, Callable[[Any], bool]] = {
    "shape": lambda value: isinstance(value, list) and all(map(_is_count, value)),
    "classes": _is_count,
    "accuracy": lambda value: isinstance(value, (int, float)),
}
"""What those entries of a card must be that are computed with."""


def check_card(entry: Model, path: Path, dataset: str) -> None:
    """Checks that a weights file is the one that its card describes, if there is a card.

    Raises:
        XaiboardError: there are no weights, they have another digest, or the card is of another model or data set.
    """
    if not path.is_file():
        raise XaiboardError(f"model '{entry.name}' has no weights at '{path}'; train it or mend the path")
    card = read_card(path)
    if card is None:
        return
    for key, wanted in (("name", entry.name), ("dataset", dataset)):
        if card.get(key) != wanted:
            raise XaiboardError(
                f"card '{path.with_suffix('.json')}' is for {key} '{card.get(key)}', expected '{wanted}';"
                " restore the card or train the model again"
            )
    digest = sha256(path.read_bytes()).hexdigest()
    if card.get("weights") != digest:
        raise XaiboardError(
            f"weights '{path}' have SHA-256 {digest[:12]}…, their card says {str(card.get('weights'))[:12]}…;"
            " the file is damaged or was replaced: restore it or train the model again"
        )


def module_digest(module: nn.Module) -> str:
    """SHA-256 over the types of all layers, their attributes that are plain values, and all parameters and buffers."""
    total = sha256()
    for name, layer in module.named_modules():
        plain = {
            key: value
            for key, value in vars(layer).items()
            if key != "training"
            and isinstance(value, (bool, int, float, str, tuple, type(None)))
            and key[0] != "_"
        }
        total.update(f"{name} {type(layer).__qualname__} {sorted(plain.items())}".encode())
    for name, value in sorted(module.state_dict().items()):
        for part in _content(name, value):
            total.update(part)
    return total.hexdigest()


def _content(name: str, value: object) -> Iterator[bytes]:
    """A value of a network's state; quantised layers keep tuples and types in theirs, beside tensors."""
    if isinstance(value, (tuple, list)):
        for index, each in enumerate(value):
            yield from _content(f"{name}.{index}", each)
    elif not isinstance(value, Tensor):
        yield f"{name} {value}".encode()
    elif value.is_quantized:
        yield from _content(f"{name} {value.dtype}", value.int_repr())
        yield from _content(f"{name}.values", value.dequantize())
    else:
        yield f"{name} {tuple(value.shape)} {value.dtype}".encode()
        yield value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def _trained_on(entry: Model) -> str:
    """Part of a sentence: on which data sets the model is trained."""
    if entry.dataset is not None:
        return f"it is trained on {entry.dataset}"
    before, _, after = Path(entry.weights or "").name.partition("{dataset}")
    files = (entry.folder / (entry.weights or "")).parent.glob(f"{before}*{after}")
    names = sorted(file.name.removeprefix(before).removesuffix(after) for file in files)
    return (
        f"it is trained on: {', '.join(names)}"
        if names
        else "no weights of it are here; see 'xaiboard train'"
    )
