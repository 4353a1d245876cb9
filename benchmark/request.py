"""What the user asked for, read and checked: built here alone, for the command line and for Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .components import registry, suites
from .components.captum_objects import as_method, is_captum_object
from .components.choice import Choice, choose
from .components.decorators import LONGEST, make_method, make_metric
from .components.kinds import Component, Model
from .components.patterns import select, select_by, split
from .components.plugins import load_plugins
from .components.registry import Registry
from .engine.conditions import Conditions
from .engine.isolation import alone
from .errors import XaiboardError
from .subjects.code_digest import code_digest
from .subjects.trained_models import serves
from .toolkit.arguments import shown
from .toolkit.files import user_folder

Selection = str | Mapping[str, Any] | Iterable[Any] | Callable[..., Any]
"""A pattern, an object, several patterns and objects, or objects by name."""

Make = Callable[..., Component]
"""Makes an unregistered component of a function."""

ENGINES = ("local",)
"""Where cells can be computed."""

PICKLES = (".pt", ".pth", ".ckpt", ".bin")
"""Endings of files with weights that are no safetensors."""

TARGETS, DTYPES = ("prediction", "label"), ("float32", "float64")


@dataclass(frozen=True)
class Request:
    """A run that the user asked for. Names are resolved and settings checked; no data or weights are read yet.

    Args:
        dataset: name of the data set.
        samples: how many test samples; None for the suite's own number, or all there are if these are fewer.
        usual: the suite's own number.
        models: registered entries, and modules that were given as they are, by name.
        methods: with their settings.
        metrics: with their settings.
        perturbations: with their settings.
        conditions: seed, target, dtype, device.
        batch_size: samples in a batch; None for a size that suits the device.
        out: the folder of the run.
        reuse: another run whose finished cells are taken over, or None.
        engine: where cells are computed.
        families: of modules that were given as they are, by name; ``own`` where there is none.
    """

    dataset: str
    samples: int | None
    usual: int
    models: Mapping[str, Model | nn.Module]
    methods: Sequence[Choice]
    metrics: Sequence[Choice]
    perturbations: Sequence[Choice]
    conditions: Conditions
    batch_size: int | None
    out: Path
    reuse: Path | None = None
    engine: str = "local"
    families: Mapping[str, str] = field(default_factory=dict)


def read_request(
    suite: str | Path = "quick",
    *,
    dataset: str | None = None,
    models: Selection | None = None,
    methods: Selection | None = None,
    metrics: Selection | None = None,
    perturbations: Selection | None = None,
    samples: int | None = None,
    seed: int = 0,
    target: str = "prediction",
    device: str | torch.device = "auto",
    dtype: str = "float32",
    batch_size: int | str = "auto",
    plugins: str | Path | Sequence[str | Path] = (),
    out: str | Path | None = None,
    reuse: str | Path | None = None,
    engine: str = "local",
    family: str | Mapping[str, str] | None = None,
) -> Request:
    """The request that these words make; they are those of :func:`xaiboard.benchmark.run`.

    Raises:
        XaiboardError: a word that nothing is known by, or a value that makes no sense.
    """
    _one_of("engine", engine, ENGINES)
    batch = read_batch_size(batch_size)
    folder = default_folder(str(suite)) if out is None else user_folder(out)
    other = None if reuse is None else user_folder(reuse)
    with alone("loading plug-ins"):
        load_plugins(plugins)
    chosen = suites.read(str(suite))
    if not 0 <= seed < 2**63:
        raise XaiboardError(f"the seed must be from 0 to 2**63 - 1; got {seed}")
    if dataset == "":
        raise XaiboardError("give a data set's name; got ''")
    _one_of("target", target, TARGETS)
    _one_of("dtype", dtype, DTYPES)
    name = dataset or str(chosen["dataset"])

    def choices(known: Registry, make: Make, given: Selection | None) -> list[Choice]:
        return choose_components(
            known, make, str(chosen.get(f"{known.kind}s", "")) if given is None else given
        )

    chosen_models = choose_models(models, str(chosen["models"]), name)
    return Request(
        dataset=name,
        samples=samples,
        usual=int(chosen["samples"]),
        models=chosen_models,
        methods=choices(registry.methods, make_method, methods),
        metrics=choices(registry.metrics, make_metric, metrics),
        perturbations=choices(registry.perturbations, _no_object, perturbations),
        conditions=Conditions(seed, target, dtype, find_device(str(device))),
        batch_size=batch,
        out=folder,
        reuse=other,
        engine=engine,
        families=read_families(family, chosen_models),
    )


def read_families(
    given: str | Mapping[str, str] | None, chosen: Mapping[str, Model | nn.Module]
) -> dict[str, str]:
    """The family of each module that was given as it is.

    Raises:
        XaiboardError: a family of something else, or one that is no word.
    """
    own = [name for name, model in chosen.items() if isinstance(model, nn.Module)]
    families = dict.fromkeys(own, given) if isinstance(given, str) else dict(given or {})
    for name, family in families.items():
        if name not in own or not isinstance(family, str) or not family:
            raise XaiboardError(
                f"family gives '{name}' the family {family!r}; give a word to modules that are given as objects:"
                f" {', '.join(own) or 'there are none'}"
            )
    return families


def default_folder(suite: str) -> Path:
    """Where a suite's run goes unless told otherwise."""
    return Path("runs") / Path(suite).stem


def read_batch_size(given: int | str) -> int | None:
    """A number of samples, or None for ``auto``.

    Raises:
        XaiboardError: neither.
    """
    if given == "auto":
        return None
    if not re.fullmatch("[0-9]+", str(given)) or int(given) < 1:
        raise XaiboardError(f"batch size must be 'auto' or a number from 1; got '{given}'")
    return int(given)


def find_device(given: str) -> str:
    """The device that a name stands for; ``auto`` is a GPU where there is one.

    Raises:
        XaiboardError: it is not available.
    """
    if given == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=given).cpu()
    except (RuntimeError, AssertionError, NotImplementedError):
        raise XaiboardError(f"device '{given}' is not available here; use auto, cpu or cuda") from None
    return given


def choose_components(known: Registry, make: Make, given: Selection) -> list[Choice]:
    """Choices from patterns and objects; an object that is registered is its entry.

    Raises:
        XaiboardError: neither a pattern nor a function, or two functions have one name.
    """
    choices: dict[str, Choice] = {}
    for name, item in _items(known.kind, given):
        found = select(known, item) if isinstance(item, str) else [choose(_entry(known, make, item, name))]
        for choice in found:
            old = choices.setdefault(choice.label, choice).component.function
            if old is not choice.component.function:
                raise XaiboardError(
                    f"two {known.kind}s named '{choice.component.name}'; give a mapping of names to functions"
                )
    return list(choices.values())


def choose_models(given: Selection | None, usual: str, dataset: str) -> dict[str, Model | nn.Module]:
    """Entries and modules by name; wildcards, and the suite's ``usual`` list, keep those trained on ``dataset``.

    Raises:
        XaiboardError: none is left, or two modules have one name.
    """

    def trained_here(entry: Component) -> bool:
        return serves(registry.models[entry.name], dataset)

    if given is None:
        entries = [
            choice.component for choice in select(registry.models, usual) if trained_here(choice.component)
        ]
        if not entries:
            raise XaiboardError(f"no model of the suite is trained on {dataset}; name one with --models")
        return {entry.name: entry for entry in entries}
    items = _items("model", given)
    chosen: dict[str, Model | nn.Module] = {}
    for name, item in items:
        if isinstance(item, nn.Module):
            found: dict[str, Model | nn.Module] = {
                _own_name(type(item).__name__ if name is None else name): item
            }
        elif str(item).endswith(PICKLES):
            raise XaiboardError(
                f"'{item}' is a file that torch pickled, which may run any code when it is read; write its weights with"
                " safetensors.torch.save_file(network.state_dict(), 'name.safetensors') and register a function with"
                " @model(weights='name.safetensors'), or give the network itself from Python"
            )
        elif isinstance(item, str):
            entries = [choice.component for choice in select_by(registry.models, item, trained_here)]
            found = {entry.name: entry for entry in entries}
        else:
            raise XaiboardError(f"a model must be a pattern or an nn.Module; got {shown(item)}")
        for label, model in found.items():
            if chosen.setdefault(label, model) is not model:
                raise XaiboardError(f"two models named '{label}'; give a mapping of names to modules")
    if not chosen:
        typed = f" ({', '.join(str(item) for _, item in items)})" if items else ""
        raise XaiboardError(f"no selected model{typed} is trained on {dataset}; see 'xaiboard list models'")
    return chosen


def _items(kind: str, given: Selection) -> list[tuple[str | None, Any]]:
    """Patterns, and objects with the names that they were given.

    Raises:
        XaiboardError: a name that is no text, or is given to what has another one already.
    """
    if isinstance(given, str):
        return [(None, pattern) for pattern in split(given)]
    if not isinstance(given, Mapping):
        return [(None, item) for item in ([given] if callable(given) or is_captum_object(given) else given)]
    for name, item in given.items():
        if not isinstance(name, str) or (isinstance(item, str) and item != name):
            raise XaiboardError(
                f"a mapping of {kind}s has texts for objects; got {shown(name)} for {shown(item)}; give patterns in"
                " a list"
            )
    return list(given.items())


def _own_name(name: str) -> str:
    """The name of a module that was given as an object, if it can stand in tables.

    Raises:
        XaiboardError: it cannot, or it is that of a registered model.
    """
    if name in registry.models:
        raise XaiboardError(
            f"model '{name}' is registered, and the module given is another; give it another name"
        )
    plain = name.isprintable() and name == name.strip() and not set(name) & set(",[]")
    if not plain or not 0 < len(name.encode()) <= LONGEST:
        raise XaiboardError(
            f"model name {shown(name)} must have 1 to {LONGEST} bytes that can be shown, no space around them, and no"
            " comma or bracket"
        )
    return name


def _entry(known: Registry, make: Make, item: Callable[..., Any], name: str | None) -> Component:
    """The entry of a registered function, or a new one that its code identifies."""
    for entry in known.values():
        if entry.function is item and name in (None, entry.name):
            return entry
    if known is registry.methods and is_captum_object(item):
        function, code = as_method(item)
        return replace(make(function, name=name or type(item).__name__), code=code)
    name = name or getattr(item, "__name__", None)
    if not callable(item) or name is None:
        raise XaiboardError(
            f"{known.kind} {shown(item)} is no named function; give a mapping of names to functions"
        )
    made = make(item, name=name)
    if made.name in known:
        raise XaiboardError(
            f"{known.kind} '{made.name}' is registered, and the function given is another; give it another name"
        )
    return replace(made, code=code_digest(item))


def _no_object(function: Callable[..., Any], name: str | None = None) -> Component:
    raise XaiboardError(f"register '{name}' with @perturbation, then name it")


def _one_of(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        there = f"there is: {known[0]}" if len(known) == 1 else f"there are: {', '.join(known)}"
        raise XaiboardError(f"no {what} named '{given}'; {there}")
