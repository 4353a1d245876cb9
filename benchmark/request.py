"""What the user asked for, read and checked: built here alone, for the command line and for Python."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .components import registry, suites
from .components.choice import Choice
from .components.decorators import make_method, make_metric
from .components.kinds import Model
from .components.plugins import load_plugins
from .components.registry import Registry
from .engine.conditions import Conditions
from .engine.isolation import alone
from .errors import XaiboardError
from .executors.choice import EngineChoice, read_engine
from .report.drawing.formats import FORMATS
from .selection import Make, Selection, choose_components, choose_models, no_object
from .toolkit.files import user_folder

KEEP = 20
"""Of how many samples a run keeps the maps, unless told otherwise."""

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
        keep: of how many samples the maps are kept.
        families: of modules that were given as they are, by name; ``own`` where there is none.
        figures: a format that each figure has beside its PNG.
        suite: name of the suite, where nothing else was selected.
        words: what was given to :func:`read_request`, so that another process can read it.
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
    engine: EngineChoice = field(default_factory=lambda: read_engine("local"))
    keep: int = KEEP
    families: Mapping[str, str] = field(default_factory=dict)
    figures: str = "png"
    suite: str = ""
    words: Mapping[str, Any] = field(default_factory=dict, repr=False)


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
    keep: int = KEEP,
    family: str | Mapping[str, str] | None = None,
    figures: str = "png",
) -> Request:
    """The request that these words make; they are those of :func:`xaiboard.benchmark.run`.

    Raises:
        XaiboardError: a word that nothing is known by, or a value that makes no sense.
    """
    words = dict(locals())
    chosen_engine = read_engine(engine)
    _one_of("format of figures", figures, FORMATS)
    batch = read_batch_size(batch_size)
    folder = default_folder(str(suite)) if out is None else user_folder(out)
    other = None if reuse is None else user_folder(reuse)
    with alone("loading plug-ins"):
        load_plugins(plugins)
    chosen = suites.read(str(suite))
    if not 0 <= seed < 2**63:
        raise XaiboardError(f"the seed must be from 0 to 2**63 - 1; got {seed}")
    if keep < 0:
        raise XaiboardError(f"the number of samples whose maps are kept must be at least 0; got {keep}")
    if dataset == "":
        raise XaiboardError("give a data set's name; got ''")
    _one_of("target", target, TARGETS)
    _one_of("dtype", dtype, DTYPES)
    name = dataset or str(chosen["dataset"])

    def choices(known: Registry, make: Make, given: Selection | None) -> list[Choice]:
        usual = str(chosen.get(f"{known.kind}s", ""))
        return choose_components(known, make, usual if given is None else given, whole=given is None)

    chosen_models = choose_models(models, str(chosen["models"]), name)
    return Request(
        dataset=name,
        samples=samples,
        usual=int(chosen["samples"]),
        models=chosen_models,
        methods=choices(registry.methods, make_method, methods),
        metrics=choices(registry.metrics, make_metric, metrics),
        perturbations=choices(registry.perturbations, no_object, perturbations),
        conditions=Conditions(seed, target, dtype, find_device(str(device))),
        batch_size=batch,
        out=folder,
        reuse=other,
        engine=chosen_engine,
        keep=keep,
        families=read_families(family, chosen_models),
        figures=figures,
        suite=""
        if any(part is not None for part in (models, methods, metrics, perturbations))
        else Path(suite).stem,
        words=words,
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


def _one_of(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        there = f"there is: {known[0]}" if len(known) == 1 else f"there are: {', '.join(known)}"
        raise XaiboardError(f"no {what} named '{given}'; {there}")
