"""The suite from Python: ``run``, and the parts alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from .components import registry, suites
from .components.choice import Choice, choose
from .components.decorators import make_method, make_metric
from .components.kinds import Component
from .components.patterns import select, select_by, split
from .components.plugins import load_plugins
from .components.registry import Registry
from .contract import check
from .engine.batching import Batcher
from .engine.conditions import Conditions
from .engine.plan import Plan, make_cells
from .engine.probe import probe
from .engine.runner import execute
from .engine.values import Values
from .errors import XaiboardError
from .pictures.counterfactuals import draw_counterfactuals
from .pictures.gallery import draw_gallery
from .pictures.perturbed_maps import draw_robustness_gallery
from .report.results import Results
from .report.write import write
from .store import tables
from .store.records import Store
from .subjects import trained_models
from .subjects.code_digest import code_digest
from .subjects.datasets import load_data, load_reference, take
from .subjects.trained_models import TrainedModel, load_model
from .toolkit.data import Data, Reference
from .toolkit.files import file_name

__all__ = ["Run", "check", "explain", "load_model", "make_plan", "run"]

Selection = str | Sequence[Any] | Mapping[str, Any]
"""A pattern, a sequence of patterns and objects, or objects by name."""


@dataclass(frozen=True)
class Run:
    """The results of a run, as tables; the files are in ``folder``, beside those of earlier runs in it.

    Args:
        folder: where the files are.
        keys: of the cells that this run planned.
    """

    folder: Path
    keys: frozenset[str] = frozenset()

    @cached_property
    def results(self) -> Results:
        """All tables of the folder, those below and more; each is read or computed when it is first asked for."""
        return Results(self.folder)

    @property
    def cells(self) -> pd.DataFrame:
        """One row for each planned cell, with its status."""
        return self.results.cells

    @property
    def scores(self) -> pd.DataFrame:
        """One row for each sample of each metric column."""
        return self.results.scores

    @property
    def leaderboard(self) -> pd.DataFrame:
        """Means, intervals and ranks."""
        return self.results.leaderboard

    @property
    def families(self) -> pd.DataFrame:
        """Model families compared in pairs."""
        return self.results.families

    @property
    def models(self) -> pd.DataFrame:
        """Accuracy, certificates and bounds of the models."""
        return self.results.models

    @property
    def failed(self) -> pd.DataFrame:
        """Cells of this run that raised, with their messages."""
        return self.cells[(self.cells["status"] == "failed") & self.cells["key"].isin(self.keys)]


def run(
    suite: str = "quick",
    *,
    dataset: str | None = None,
    models: Selection | None = None,
    methods: Selection | None = None,
    metrics: Selection | None = None,
    perturbations: Selection | None = None,
    samples: int | None = None,
    seed: int = 0,
    target: str = "prediction",
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int | str = "auto",
    plugins: Sequence[str | Path] = (),
    out: str | Path | None = None,
    progress: bool = True,
) -> Run:
    """Runs a suite, or a selection of your own, and returns its tables. The same call resumes.

    Args:
        suite: named selection that fills what the other arguments leave open.
        dataset: a registered data set, or ``image-folder:PATH``.
        models: patterns, ``nn.Module`` objects, or a mapping of names to them.
        methods: patterns, functions, or captum classes.
        metrics: patterns or functions.
        perturbations: patterns.
        samples: how many test samples.
        seed: seed of every random number.
        target: the explained class, ``prediction`` or ``label``.
        device: ``auto``, ``cpu`` or ``cuda``.
        dtype: ``float32`` or ``float64``.
        batch_size: samples in a batch; it changes speed and memory, not scores.
        plugins: files that register components.
        out: the folder of the run; ``results/<suite>`` by default.
        progress: whether to show a progress bar.

    Raises:
        XaiboardError: a mistake in the selection, the data or the weights; nothing is written.
    """
    batch = read_batch_size(batch_size)
    plan = make_plan(
        suite,
        dataset=dataset,
        models=models,
        methods=methods,
        metrics=metrics,
        perturbations=perturbations,
        samples=samples,
        seed=seed,
        target=target,
        device=device,
        dtype=dtype,
        plugins=plugins,
    )
    store = Store(out if out is not None else default_folder(suite))
    conditions = {"seed": seed, "target": target, "dtype": dtype, "samples": len(plan.data)}
    store.open(conditions)
    store.plan(plan.summary)
    execute(plan, store, batch_size=batch, progress=progress)
    finished = Run(store.folder, frozenset(cell.key for cell in plan.cells))
    with store.lock():
        tables.consolidate(store)
        write_tables(finished)
    picture = f"{file_name(plan.dataset)}{_part(plan, finished.cells)}.png"
    draw_gallery(plan, finished.folder / f"gallery-{picture}")
    draw_counterfactuals(plan, finished.folder / f"counterfactuals-{picture}")
    draw_robustness_gallery(plan, finished.folder / f"attribution-gallery-{picture}")
    return finished


def make_plan(
    suite: str = "quick",
    *,
    dataset: str | None = None,
    models: Selection | None = None,
    methods: Selection | None = None,
    metrics: Selection | None = None,
    perturbations: Selection | None = None,
    samples: int | None = None,
    seed: int = 0,
    target: str = "prediction",
    device: str = "auto",
    dtype: str = "float32",
    plugins: Sequence[str | Path] = (),
) -> Plan:
    """What :func:`run` would do with the same arguments, checked, with passes counted on one sample.

    Raises:
        XaiboardError: a mistake in the selection, the data or the weights.
    """
    load_plugins([plugins] if isinstance(plugins, (str, Path)) else plugins)
    chosen = suites.read(suite)
    if not 0 <= seed < 2**63:
        raise XaiboardError(f"the seed must be from 0 to 2**63 - 1; got {seed}")
    if dataset == "" or not (samples is None or type(samples) is int):
        raise XaiboardError(
            f"give a data set's name and a whole number of samples; got '{dataset}' and '{samples}'"
        )
    for name, value, known in (
        ("target", target, ("prediction", "label")),
        ("dtype", dtype, ("float32", "float64")),
    ):
        if value not in known:
            raise XaiboardError(f"no {name} named '{value}'; there are: {', '.join(known)}")
    conditions = Conditions(seed, target, dtype, find_device(device))

    def choices(known: Registry, make: Callable[..., Component], given: Selection | None) -> list[Choice]:
        return _components(known, make, str(chosen.get(f"{known.kind}s", "")) if given is None else given)

    of_methods = choices(registry.methods, make_method, methods)
    of_metrics = choices(registry.metrics, make_metric, metrics)
    of_perturbations = choices(registry.perturbations, _no_object, perturbations)
    data_name = dataset or str(chosen["dataset"])
    data = _samples(data_name, samples, int(chosen["samples"]))
    networks = _models(models, str(chosen["models"]), data_name, data)
    chosen_ones = (*of_methods, *of_metrics, *of_perturbations)
    wanted = any(choice.needs("reference") for choice in chosen_ones)
    reference = load_reference(data_name) if wanted else None
    named = {choice.other_model for choice in of_perturbations} - {""}
    others = {
        name: trained_models.load(registry.models[name], data_name, data.shape, len(data.classes))
        for name in sorted(named)
    }
    cells = make_cells(
        data_name, data, networks, of_methods, of_metrics, of_perturbations, conditions, reference, others
    )
    if not cells:
        raise XaiboardError("nothing to run: no selected metric judges the selected methods or models")
    costs = probe(cells, data, reference, conditions, others)
    return Plan(data_name, data, reference, cells, conditions, costs, others)


def explain(
    model: nn.Module,
    method: str | Callable[..., Any],
    x: Tensor,
    target: Tensor,
    *,
    seed: int = 0,
    reference: Reference | None = None,
    **settings: object,
) -> Tensor:
    """Attributions of ``x`` for ``target``, shaped like ``x``.

    Args:
        model: images in ``[0, 1]`` to logits ``(B, K)``.
        method: a registered name, with settings if you like, or a function.
        x: images, ``(B, C, H, W)``.
        target: explained classes, ``(B,)``.
        seed: seed of a stochastic method's random numbers.
        reference: statistics of the training set, for a method that asks for them.
        settings: settings of the method.

    Raises:
        XaiboardError: an unknown method or setting, or a method that does not apply or returns something else.
    """
    (choice,) = _components(registry.methods, make_method, [method] if callable(method) else method)
    choice = choose(choice.component, {**choice.settings, **settings})
    if reason := choice.reason_against(model):
        raise XaiboardError(f"'{choice.component.name}' does not apply: {reason}")
    classes = [""] * model(x[:1]).shape[1]
    data = Data(x.detach(), target, classes)
    conditions = Conditions(seed, "label", str(x.dtype).removeprefix("torch."), str(x.device))
    trained = TrainedModel("model", "own", model, "")
    return Values(trained, data, reference, conditions, Batcher(None, str(x.device))).attribution(choice)


def _part(plan: Plan, cells: pd.DataFrame) -> str:
    """What tells the pictures of some models and methods apart from those of all in the folder."""
    drawn = {(cell.model.name, cell.method.label if cell.method else "") for cell in plan.cells}
    of_dataset = cells[cells["dataset"] == plan.dataset]
    return "" if set(zip(of_dataset["model"], of_dataset["method"], strict=True)) <= drawn else "-part"


def default_folder(suite: str) -> Path:
    """Where a suite's run goes unless told otherwise."""
    return Path("results") / Path(suite).stem


def write_tables(finished: Run) -> None:
    """Writes every table and figure that follows from ``cells.csv``, ``scores.parquet`` and ``curves.csv``."""
    write(finished.folder, finished.results)


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


def _samples(dataset: str, asked: int | None, usual: int) -> Data:
    if asked is not None:
        return load_data(dataset, samples=asked)
    data = load_data(dataset)
    return take(data, min(usual, len(data)))


def _components(known: Registry, make: Callable[..., Component], given: Selection) -> list[Choice]:
    """Choices from patterns and objects; an object that is registered is its entry."""
    if isinstance(given, str):
        return select(known, given) if given.strip() else []
    if callable(given):
        given = [given]
    items = given.items() if isinstance(given, Mapping) else ((None, item) for item in given)
    choices: dict[str, Choice] = {}
    for name, item in items:
        found = select(known, item) if isinstance(item, str) else [choose(_entry(known, make, item, name))]
        choices.update({choice.label: choice for choice in found})
    return list(choices.values())


def _entry(
    known: Registry, make: Callable[..., Component], item: Callable[..., Any], name: str | None
) -> Component:
    """The entry of a registered function, or a new one that its code identifies."""
    for entry in known.values():
        if entry.function is item and name in (None, entry.name):
            return entry
    name = name or getattr(item, "__name__", None)
    if not callable(item) or name is None:
        raise XaiboardError(
            f"{known.kind} {item!r} is no named function; give a mapping of names to functions"
        )
    made = make(item, name=name)
    if made.name in known:
        raise XaiboardError(
            f"{known.kind} '{made.name}' is registered, and the function given is another; give it another name"
        )
    return replace(made, code=code_digest(item))


def _no_object(function: Callable[..., Any], name: str | None = None) -> Component:
    raise XaiboardError(f"register '{name or function.__name__}' with @perturbation, then name it")


def _models(given: Selection | None, usual: str, dataset: str, data: Data) -> list[TrainedModel]:
    """Trained networks from patterns and modules; a suite's own list keeps those trained on ``dataset``."""

    def serves(entry: Component) -> bool:
        return trained_models.serves(registry.models[entry.name], dataset)

    if given is None:
        entries = [choice.component for choice in select(registry.models, usual) if serves(choice.component)]
        if not entries:
            raise XaiboardError(f"no model of the suite is trained on {dataset}; name one with --models")
        given = [entry.name for entry in entries]
    elif isinstance(given, nn.Module):
        given = {type(given).__name__: given}
    elif isinstance(given, str):
        given = split(given)
    items = given.items() if isinstance(given, Mapping) else ((None, item) for item in given)
    networks: dict[str, TrainedModel] = {}
    objects = set()
    for name, item in items:
        if isinstance(item, nn.Module):
            name = name or type(item).__name__  # noqa: PLW2901
            found = {name: lambda name=name, item=item: trained_models.wrap_object(item, name)}
            objects.add(name)
        else:
            entries = [choice.component for choice in select_by(registry.models, item, serves)]
            found = {
                entry.name: partial(trained_models.load, entry, dataset, data.shape, len(data.classes))
                for entry in entries
            }
        for name, load in found.items():  # noqa: PLW2901
            if name in networks and name in objects:
                raise XaiboardError(f"two models named '{name}'; give a mapping of names to modules")
            networks[name] = networks.get(name) or load()
    if not networks:
        typed = f" ({', '.join(map(str, given))})" if given else ""
        raise XaiboardError(f"no selected model{typed} is trained on {dataset}; see 'xaiboard list models'")
    return list(networks.values())
