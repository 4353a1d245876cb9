"""The suite from Python: ``run``, and a method alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from inspect import isclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .components import registry
from .components.choice import choose
from .components.decorators import make_method
from .engine.applies import reason_on
from .engine.batching import Batcher
from .engine.conditions import Conditions
from .engine.explainable import require_classes, require_explainable
from .engine.values import Values
from .errors import XaiboardError, XaiboardWarning, message
from .request import KEEP, read_request
from .runs.finished_run import Run
from .runs.running import run_request
from .selection import Selection, choose_components
from .subjects.examination import ready
from .subjects.findings import in_type_of
from .subjects.trained_models import TrainedModel
from .toolkit.arguments import checked
from .toolkit.data import Data, Reference
from .toolkit.networks import plain


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
        models: patterns, networks of other libraries such as ``timm:resnet18.a1_in1k``, ``nn.Module`` objects, or a
            mapping of names to objects.
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
        engine: where cells are computed: ``local``, which is this process, ``local[workers=2]``, ``ray`` or ``slurm``.
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
    with ready(model, x) as found:
        require_classes(target, found.classes)
        target = target.long().to(x.device)
        if reason := reason_on(choice, model, x, target):
            raise XaiboardError(f"'{choice.component.name}' does not apply: {reason}")
        data = Data(x.detach(), target, [""] * found.classes)
        conditions = Conditions(seed, "label", str(x.dtype).removeprefix("torch."), str(x.device))
        trained = TrainedModel("model", "own", model, "", image_bytes=found.image_bytes)
        values = Values(trained, data, reference, conditions, Batcher(None, str(x.device)))
        try:
            return values.attribution(choice).to(given)
        except Exception as error:
            own = not choice.component.built_in and not isclass(choice.component.function)
            if own or isinstance(error, XaiboardError):
                raise
            raise XaiboardError(f"'{choice.component.name}' failed on the model: {message(error)}") from error
