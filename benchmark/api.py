"""The suite from Python: ``run``, and the parts alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from inspect import isclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from .components import registry
from .components.choice import choose
from .components.decorators import make_method
from .engine.applies import reason_on
from .engine.batching import Batcher
from .engine.cell import Cell
from .engine.conditions import Conditions
from .engine.explainable import require_classes, require_explainable
from .engine.isolation import alone
from .engine.map_keeper import MapKeeper, explained
from .engine.plan import Plan, make_cells
from .engine.probe import probe
from .engine.promise import Promise, promise
from .engine.runner import execute, split
from .engine.staleness import Register, computes_the_same, warn_of_unknown_outputs
from .engine.values import Values
from .errors import XaiboardError, XaiboardWarning, message
from .html_page.make import PAGE as REPORT
from .html_page.make import write_report
from .pictures.counterfactuals import draw_counterfactuals
from .pictures.perturbed_maps import draw_robustness_gallery
from .report.comparison.ask import ask, read_question
from .report.formats import figure_names, formats_of
from .report.notebook import Picture, leaderboard_html, picture
from .report.results import Results
from .report.write import write, written_names
from .request import KEEP, Request, read_request
from .selection import Selection, choose_components
from .store.consolidate import consolidate
from .store.damage import DamagedError
from .store.kept import Explained, Kept, read_kept, write_kept
from .store.known_outputs import note_outputs, read_known_outputs
from .store.locks import computing
from .store.records import Store
from .store.restore import repair
from .store.reuse import Wanted, check_reusable, reusable, take_over
from .store.run_file import check_conditions, check_schema, read_run
from .store.seal import OWN, seal_files
from .store.sealed_cells import unseal
from .store.suites import note_suite
from .store.tables import read_cells, seal_as_found
from .subjects import trained_models
from .subjects.datasets import load_data, load_reference, take
from .subjects.examination import examined, ready
from .subjects.findings import in_type_of
from .subjects.trained_models import TrainedModel
from .toolkit.arguments import checked
from .toolkit.data import Data, Reference
from .toolkit.files import file_name
from .toolkit.networks import plain
from .toolkit.progress import stage

PLANNING = "planning: each combination is tried on one sample"
"""What a terminal shows before the first cell."""


@dataclass(frozen=True)
class Run:
    """The results of a run, as tables; the files are in ``folder``, beside those of earlier runs in it.

    Args:
        folder: where the files are.
        keys: of the cells that this run planned.
    """

    folder: Path
    keys: frozenset[str] = field(default=frozenset(), repr=False)

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

    @checked
    def compare(
        self,
        *,
        method: str = "",
        model: str = "",
        against: str | Sequence[str] = "all",
        on: str | Sequence[str] = (),
        margin: float | None = None,
        correct: str | None = None,
        seeds: bool = False,
        other: Run | str | Path | None = None,
    ) -> pd.DataFrame:
        """Is a method, or a model, better than others? One row for each column and rival.

        Args:
            method: compared with other methods of each model.
            model: compared with other models; with a method, the only model that counts.
            against: names of the rivals, or ``all``.
            on: patterns of metric columns; none for all.
            margin: differences up to it do not matter, in units of the score.
            correct: ``columns`` makes the verdicts hold for all columns together.
            seeds: whether models stand for their recipes, of which all seeds take part.
            other: a second run, joined on what is equal in both.

        Returns:
            ``effect`` (the mean less the rival's), its interval, ``n``, ``verdict`` (``better``, ``worse``, ``same
            within the margin``, ``not told apart``), ``smallest_difference`` that this many samples tell apart, and
            ``samples_needed`` to tell what was found.

        Raises:
            XaiboardError: a name that is not in the run, or nothing to compare.
        """
        question = read_question(
            method=method, model=model, against=against, on=on, margin=margin, correct=correct, seeds=seeds
        )
        folder = other.folder if isinstance(other, Run) else other
        return ask(self.folder, Path(folder) if folder is not None else None, question).table

    def report(self) -> Path:
        """Writes ``report.html``, on which the run is looked at, sorted and compared; returns its path."""
        return write_report(self.results)

    @checked
    def plot_curves(self, dataset: str | None = None) -> Picture:
        """The deletion and insertion curves, as a matplotlib figure; ``dataset`` where the folder has several.

        Raises:
            XaiboardError: the run has none.
        """
        return picture(self.results, "curves", dataset)

    @checked
    def plot_gallery(self, dataset: str | None = None) -> Picture:
        """The maps of a few images by all methods, as a matplotlib figure; ``dataset`` where the folder has several.

        Raises:
            XaiboardError: the run has none.
        """
        return picture(self.results, "gallery", dataset)

    def _repr_html_(self) -> str:
        """What a notebook shows: the leaderboard in short, and what is worth knowing."""
        return leaderboard_html(self.folder, self.results)

    @property
    def failed(self) -> pd.DataFrame:
        """Cells of this run that raised, with their messages."""
        return self.cells[(self.cells["status"] == "failed") & self.cells["key"].isin(self.keys)]


@checked
def run(
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
    progress: bool = True,
) -> Run:
    """Runs a suite, or a selection of your own, and returns its tables. The same call resumes.

    Args:
        suite: named selection that fills what the other arguments leave open, or the path of a ``.toml`` file.
        dataset: a registered data set, or ``image-folder:PATH``.
        models: patterns, ``nn.Module`` objects, or a mapping of names to them.
        methods: patterns, functions, or classes or objects of captum.
        metrics: patterns or functions.
        perturbations: patterns.
        samples: how many test samples.
        seed: seed of every random number.
        target: the explained class, ``prediction`` or ``label``.
        device: ``auto``, ``cpu`` or ``cuda``.
        dtype: ``float32`` or ``float64``.
        batch_size: samples in a batch; it changes speed and memory, not scores.
        plugins: file that registers components, or several of them.
        out: the folder of the run; ``runs/<suite>`` by default.
        reuse: the folder of another run, or of published results: its finished cells are taken over instead of
            computed again, and its rows stand in the tables beside those of this run.
        engine: where cells are computed: ``local``.
        keep: of how many samples, the first ones, the map of each method on each model is kept.
        family: the family of the modules among the models, as part of which they are compared: one for all, or a
            mapping of their names.
        figures: ``svg`` or ``pdf``: each figure is drawn in that format too, at the width of a paper's column.
        progress: whether to show a progress bar.

    Raises:
        XaiboardError: an argument of the wrong type, or a mistake in the selection, the data or the weights, and
            nothing is written; or all cells failed.

    Warns:
        UserWarning: some cells failed.
    """
    request = read_request(
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
        batch_size=batch_size,
        plugins=plugins,
        out=out,
        reuse=reuse,
        engine=engine,
        keep=keep,
        family=family,
        figures=figures,
    )
    finished = run_request(request, progress=progress)
    _tell_of_failures(finished)
    return finished


def _tell_of_failures(finished: Run) -> None:
    """Warns if cells failed, and raises if all did that could be computed."""
    failed = finished.failed
    if failed.empty:
        return
    own = finished.cells[finished.cells["key"].isin(finished.keys)]
    tried = int((own["status"] != "inapplicable").sum())
    first = failed["note"].iloc[0]
    said = f"{len(failed)} of {tried} cells failed, as '{finished.folder / 'cells.csv'}' says; the first: {first}"
    if len(failed) == tried:
        raise XaiboardError(said)
    warnings.warn(said, XaiboardWarning, stacklevel=4)  # past run() and what @checked puts around it


def run_request(request: Request, *, progress: bool = True) -> Run:
    """Computes what a request asks for, writes its tables and pictures, and returns them.

    Raises:
        XaiboardError: a mistake in the data or the weights, or a folder that cannot be written.
    """
    with stage(PLANNING, shown=progress):
        plan = make_plan(request)
    store = Store(request.out)
    if request.reuse is not None:
        check_reusable(request.reuse, plan.run_conditions)
    with store.lock():
        repair(store)
    store.open(plan.run_conditions, [*OWN, *written_names()])
    if request.suite:
        note_suite(store, request.suite)
    with computing(store.folder):
        if request.reuse is not None:
            take_over(request.reuse, store, _wanted(plan.cells, plan, request.reuse), len(plan.shards))
        known = _known_outputs(request)
        finished_here, todo = split(plan, store)
        warn_of_unknown_outputs(finished_here, plan.data, known)
        with store.lock():
            unseal(store, {cell.key for cell in todo})
        note_outputs(store, {**known, **plan.outputs})
        store.plan(plan.summary)
        keeper = MapKeeper(plan, request.keep, request.batch_size)
        with store.lock():
            known = _take_maps_over(request, plan, keeper)
        execute(plan, store, batch_size=request.batch_size, progress=progress, keeper=keeper)
        keeper.complete(known, progress=progress)
        finished = Run(store.folder, frozenset(cell.key for cell in plan.cells))
        with stage("tables and figures", shown=progress) as line:
            with store.lock():
                consolidate(store)
                write_kept(store.folder, keeper.kept.beside(read_kept(store.folder)).named_in(finished.cells))
                write_tables(finished, request.figures, line.set_postfix_str)
            line.set_postfix_str("galleries")
            _draw_pictures(plan, finished, request.figures)
            line.set_postfix_str(REPORT)
            with store.lock():
                seal_files(store.folder, figure_names(store.folder))
                finished.report()
    return finished


def keep_maps(request: Request, *, progress: bool = True) -> Kept:
    """Computes the maps that the run in a folder lacks, published or not, and writes them beside its tables.

    What the networks compute is noted, where an earlier version did not.

    Returns:
        All maps in the folder.

    Raises:
        XaiboardError: no run in the folder, or networks, methods, data or conditions are not those of its scores.
    """
    folder, store = request.out, Store(request.out)
    if request.keep == 0 or request.reuse is not None:
        raise XaiboardError("--maps keeps maps and computes nothing else; leave --reuse and '--keep 0' out")
    if (run := read_run(folder)) is None:
        raise XaiboardError(f"no run in '{folder}'; name with --out a folder that 'xaiboard run' wrote")
    check_schema(folder)
    cells = read_cells(folder)
    plan = make_plan(request, only_maps=True)
    check_conditions(run, plan.run_conditions, folder, "give the words with which it was run")
    judged = _judged_there(plan.cells, cells, folder)
    warn_of_unknown_outputs(judged, plan.data, read_known_outputs(folder))
    keeper = MapKeeper(replace(plan, cells=judged), request.keep, request.batch_size)
    keeper.complete(read_kept(folder), progress=progress)
    with store.lock():
        seal_as_found(folder)
        kept = keeper.kept.beside(read_kept(folder).right(keeper.identities)).named_in(cells)
        write_kept(folder, kept)
    note_outputs(store, {**read_known_outputs(folder), **plan.outputs})
    if request.suite:
        note_suite(store, request.suite)
    return kept


def _judged_there(planned: Sequence[Cell], cells: pd.DataFrame, folder: Path) -> list[Cell]:
    """The planned cells of those models and methods that the table of cells in ``folder`` names.

    Raises:
        XaiboardError: it names none of them, or has none of the cells of one.
    """
    known = cells.groupby(["dataset", "model", "method"])["key"].agg(set).to_dict()
    judged: dict[Explained, list[Cell]] = {}
    for cell in planned:
        if cell.method and (pair := explained(cell, cell.method)) in known:
            judged.setdefault(pair, []).append(cell)
    if not judged:
        raise XaiboardError(
            f"'{folder}' has no cells of the selected models and methods; select those that are in its cells.csv"
        )
    for pair, of_pair in judged.items():
        if known[pair].isdisjoint(cell.key for cell in of_pair):
            raise XaiboardError(
                f"no cell of '{pair[2]}' on '{pair[1]}' in '{folder}' is one that these words name: network, method,"
                " metrics or data are not those of its scores, which the maps would not fit; give the words with which"
                " it was run"
            )
    return [cell for of_pair in judged.values() for cell in of_pair]


def _take_maps_over(request: Request, plan: Plan, keeper: MapKeeper) -> Kept:
    """Writes the maps of earlier runs that are still right into the folder of the run, and returns them."""
    known = read_kept(request.out)
    if request.reuse is not None:
        there = read_known_outputs(request.reuse)
        others = {
            explained(cell, cell.method): ""
            for cell in plan.cells
            if cell.method and not computes_the_same(cell, plan.data, plan.outputs, there)
        }
        known = known.beside(read_kept(request.reuse).right({**keeper.identities, **others}))
    known = known.right(keeper.identities)
    write_kept(request.out, known)
    return known


def _draw_pictures(plan: Plan, finished: Run, figures: str) -> None:
    """Draws what a few samples look like when they are perturbed, in the cells that this run planned."""
    picture = f"{file_name(plan.dataset)}{_part(plan, finished.cells)}"
    for suffix in formats_of(finished.folder, figures):
        draw_counterfactuals(plan, finished.folder / f"counterfactuals-{picture}.{suffix}")
        draw_robustness_gallery(plan, finished.folder / f"attribution-gallery-{picture}.{suffix}")


def finished_cells(plan: Plan, request: Request) -> list[Cell]:
    """Cells of a plan that need not be computed: they are in the run's folder, or in the run that it reuses."""
    finished, todo = split(plan, Store(request.out))
    if request.reuse is None:
        return finished
    check_reusable(request.reuse, plan.run_conditions)
    known = reusable(request.reuse, _wanted(todo, plan, request.reuse), len(plan.shards))
    return [*finished, *(cell for cell in todo if cell.key in known)]


def promise_of(plan: Plan, finished: Sequence[Cell], request: Request) -> Promise:
    """How long computing the cells that are not finished will take; each network is timed for a moment."""
    known = {cell.key for cell in finished}
    todo = [cell for cell in plan.cells if not cell.reason and cell.key not in known]
    return promise(plan, todo, request.batch_size)


def _wanted(cells: Sequence[Cell], plan: Plan, reuse: Path) -> list[Wanted]:
    """Those cells that may be taken over from another folder: networks and functions compute the same there."""
    there = read_known_outputs(reuse)
    return [
        Wanted(cell.key, cell.columns)
        for cell in cells
        if computes_the_same(cell, plan.data, plan.outputs, there)
    ]


def _known_outputs(request: Request) -> dict[str, Any]:
    """What networks and functions computed in the folder of the run, and in the one that it reuses."""
    reused = {} if request.reuse is None else read_known_outputs(request.reuse)
    try:
        return {**reused, **read_known_outputs(request.out)}
    except DamagedError:  # the run makes the file anew from the records, or refuses the folder
        return reused


def make_plan(request: Request, *, only_maps: bool = False) -> Plan:
    """What running the request would do: data and weights read, cells checked, passes counted on one sample.

    Args:
        request: what was asked for.
        only_maps: whether nothing but maps will be computed: then no passes are counted, and networks and functions
            that compute something else than is known in the run's folder are refused.

    Raises:
        XaiboardError: a mistake in the data or the weights, or nothing to run.
    """
    with alone("loading data and models"):
        data = _samples(request)
        networks = [
            trained_models.wrap_object(model, name, request.families.get(name, "own"))
            if isinstance(model, nn.Module)
            else trained_models.load(model, request.dataset, data.shape, len(data.classes))
            for name, model in request.models.items()
        ]
        parts = (*request.methods, *request.metrics, *request.perturbations)
        reference = (
            load_reference(request.dataset) if any(part.needs("reference") for part in parts) else None
        )
        others = {
            name: trained_models.load(registry.models[name], request.dataset, data.shape, len(data.classes))
            for name in sorted({choice.other_model for choice in request.perturbations} - {""})
        }
        labels = len(data.classes) if request.conditions.target == "label" else 0
        networks = [examined(network, data.x, labels) for network in networks]
    if networks and all(network.refused for network in networks):
        raise XaiboardError(f"'{networks[0].name}': {networks[0].refused}")
    register = Register(data, reference, request.conditions, _known_outputs(request), strict=only_maps)
    networks = [network if network.refused else register.network(network) for network in networks]
    others = {name: register.network(other) for name, other in others.items()}
    judged = [network for network in networks if not network.refused]
    methods, metrics = (
        [register.function(choice, judged, others) for choice in choices]
        for choices in (request.methods, request.metrics)
    )
    cells = make_cells(
        request.dataset,
        data,
        networks,
        methods,
        metrics,
        request.perturbations,
        request.conditions,
        reference,
        others,
    )
    if not cells:
        raise XaiboardError("nothing to run: no selected metric judges the selected methods or models")
    costs = probe([] if only_maps else cells, data, reference, request.conditions, others)
    return Plan(request.dataset, data, reference, cells, request.conditions, costs, others, register.outputs)


@checked
def explain(
    model: nn.Module,
    method: str | object,
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
        method: a registered name, with settings if you like, a function, or a class or object of captum.
        x: images, ``(B, C, H, W)``.
        target: explained classes, ``(B,)``.
        seed: seed of a stochastic method's random numbers.
        reference: statistics of the training set, for a method that asks for them.
        settings: settings of the method.

    Raises:
        XaiboardError: arguments of the wrong type, shape or range; an unknown method or setting; or a method that does
            not apply, fails or returns something else. A function of your own raises what it raises.
    """
    require_explainable(x, target, seed)
    choices = choose_components(
        registry.methods, make_method, method if isinstance(method, str) else [method]
    )
    if len(choices) != 1:
        raise XaiboardError(f"'{method}' names {len(choices)} methods; explain() takes one")
    choice = choose(choices[0].component, {**choices[0].settings, **settings})
    model = plain(model)
    given, x = x, in_type_of(model, x)
    with ready(model, x) as classes:
        require_classes(target, classes)
        target = target.long().to(x.device)
        if reason := reason_on(choice, model, x, target):
            raise XaiboardError(f"'{choice.component.name}' does not apply: {reason}")
        data = Data(x.detach(), target, [""] * classes)
        conditions = Conditions(seed, "label", str(x.dtype).removeprefix("torch."), str(x.device))
        trained = TrainedModel("model", "own", model, "")
        values = Values(trained, data, reference, conditions, Batcher(None, str(x.device)))
        try:
            return values.attribution(choice).to(given)
        except Exception as error:
            own = not choice.component.built_in and not isclass(choice.component.function)
            if own or isinstance(error, XaiboardError):
                raise
            raise XaiboardError(f"'{choice.component.name}' failed on the model: {message(error)}") from error


def _part(plan: Plan, cells: pd.DataFrame) -> str:
    """What tells the pictures of some models and methods apart from those of all in the folder."""
    drawn = {(cell.model.name, cell.method.label if cell.method else "") for cell in plan.cells}
    of_dataset = cells[cells["dataset"] == plan.dataset]
    return "" if set(zip(of_dataset["model"], of_dataset["method"], strict=True)) <= drawn else "-part"


def write_tables(finished: Run, figures: str = "png", doing: Callable[[str], object] = str) -> None:
    """Writes every table and figure that follows from ``cells.csv``, ``scores.parquet`` and ``curves.csv``."""
    write(finished.folder, finished.results, figures, doing)


def _samples(request: Request) -> Data:
    if request.samples is not None:
        return load_data(request.dataset, samples=request.samples)
    data = load_data(request.dataset)
    return take(data, min(request.usual, len(data)))
