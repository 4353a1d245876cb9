"""The decorators that register components. Nothing else writes to the registries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..errors import XaiboardError
from ..toolkit.arguments import checked, shown
from ..toolkit.labels import MetricColumn
from ..toolkit.score_ranges import ScoreRange
from .kinds import Column, Component, Dataset, Method, Metric, Model, Perturbation
from .registry import datasets, methods, metrics, models, perturbations
from .signature import OF_ALL, OF_CLASS, read_signature

F = TypeVar("F", bound=Callable[..., Any])

LONGEST = 120
"""Bytes of the longest name: it is a part of file names, which may have 255."""


@checked
def dataset(*, name: str | None = None, source: str = "", remote: bool = False) -> Callable[[F], F]:
    """Registers a data set: ``function(split)`` returns its images and labels.

    Args:
        name: name in tables; the function's name by default.
        source: paper or address.
        remote: whether loading it may download files; the contract tests then skip it unless the files are there.
    """

    def register(function: F) -> F:
        datasets.add(Dataset(**_common("dataset", name, function, source, 1), remote=remote))
        return function

    return register


@checked
def model(
    *,
    family: str,
    name: str | None = None,
    source: str = "",
    dataset: str | None = None,
    weights: str | None = None,
    lipschitz: float | None = None,
    recipe: Callable[..., Any] | None = None,
    version: int = 1,
) -> Callable[[F], F]:
    """Registers a trained network: ``function()`` or ``function(shape, classes)`` builds an ``nn.Module``.

    The module takes images in ``[0, 1]`` and returns logits ``(B, K)``; preprocessing lives inside it.

    Args:
        family: ``ot``, ``standard``, ``adversarial``, ``regularised``, or a name of your own.
        name: ``architecture.training``; the function's name by default.
        source: paper, and where it was trained.
        dataset: the data set that it was trained on; None if ``weights`` is a pattern with a file for each data set.
        weights: safetensors file, relative to the file that defines the function; ``{dataset}`` stands for the data
            set's name. If there is a card beside it (the same name with ``.json``), the weights must match it. None:
            the network is ready as the function builds it.
        lipschitz: the L2 Lipschitz constant that the network claims. Certificates need it, and audits check it.
        recipe: what ``xaiboard train`` calls to train the network.
        version: raised by hand when the entry changes its meaning.
    """

    def register(function: F) -> F:
        common = _common("model", name, function, source, version)
        models.add(
            Model(
                **common, family=family, dataset=dataset, weights=weights, lipschitz=lipschitz, recipe=recipe
            )
        )
        return function

    return register


@checked
def method(
    *,
    name: str | None = None,
    source: str = "",
    control: bool = False,
    applies: Callable[[Any], str | None] | None = None,
    verify: Callable[..., str | None] | None = None,
    roles: Sequence[str] = (),
    images: bool = False,
    version: int = 1,
) -> Callable[[F], F]:
    """Registers an attribution method: a function that returns attributions shaped like ``x``, or a captum class.

    Args:
        name: name in tables; the function's name by default.
        source: paper and equation.
        control: whether it is a control (a random map, an edge detector): a useful method should beat it.
        applies: called with the model; returns the reason why the method does not apply to it, or None if it does.
        verify: called once for each network, with the model, one input, its class ``(1,)`` and the method's settings by
            name; checks the method on it, and returns the reason why it would be wrong there, or None. It may raise the
            reason as an ``XaiboardError``.
        roles: words from :mod:`xaiboard.benchmark.toolkit.roles` by which sections of the report find the method.
        images: whether it makes sense for images only, and does not apply to vectors ``(B, F)``: because it moves,
            blurs or compares neighbours, which in a vector mean nothing.
        version: raised by hand when the attribution changes its meaning.
    """

    def register(function: F) -> F:
        methods.add(
            make_method(
                function,
                name=name,
                source=source,
                control=control,
                applies=applies,
                verify=verify,
                roles=roles,
                images=images,
                version=version,
            )
        )
        return function

    return register


def make_method(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    source: str = "",
    control: bool = False,
    applies: Callable[[Any], str | None] | None = None,
    verify: Callable[..., str | None] | None = None,
    roles: Sequence[str] = (),
    images: bool = False,
    version: int = 1,
) -> Method:
    """The entry that :func:`method` would register, without registering it."""
    common = _common("method", name, function, source, version)
    _require_naming_setting("method", common, asked="attribution", setting="of")
    return Method(
        **common, roles=tuple(roles), images=images, control=control, applies=applies, verify=verify
    )


@checked
def metric(
    *,
    family: str,
    higher_is_better: bool | None,
    name: str | None = None,
    source: str = "",
    across_models: bool = False,
    range: ScoreRange | None = None,
    columns: Mapping[str, Column] | None = None,
    shared: Sequence[Callable[..., Any]] = (),
    whole: bool = False,
    library: str = "",
    roles: Sequence[str] = (),
    images: bool = False,
    version: int = 1,
) -> Callable[[F], F]:
    """Registers a metric: a function that returns one score a sample, ``(B,)``, or several named columns of them.

    Several columns are a mapping from name to column. The empty name is the plain score, whose column in tables has the
    metric's own name; the others are called ``metric.column``. A column is a tensor ``(B,)``; a :class:`Weighted` pair
    of them, if its mean over samples is weighted; or a curve ``(B, S)``, which is stored and drawn, but not tabulated.

    Args:
        family: ``faithfulness``, ``stability``, ``agreement``, ``complexity``, ``localisation``, ``sanity``,
            ``perturbation`` (under which conditions methods were compared) or ``model``.
        higher_is_better: direction of the plain score; None if it has none.
        name: name in tables; the function's own by default.
        source: paper and equation.
        across_models: whether plain scores of different models may be compared.
        range: the smallest and the largest plain score that a sample may have under any settings, with ``-inf`` or
            ``inf`` where there is no bound. Rare events are judged by it, so that it must hold for every image, not for
            most; None if it is not known, which counts as no bound. It changes no score and no identity.
        columns: direction, comparability and range of the named columns.
        shared: functions of model and input that do not depend on the method. The value of each is computed once for a
            model and serves all methods; the metric receives it under the function's name.
        whole: whether the function is called once with all samples of the run, instead of once a batch; for scores
            that depend on all samples, such as a percentile. It may ask for ``target``, ``label``, ``logits`` and
            shared values; the latter are computed batch by batch.
        library: module of an optional library; the metric does not apply where it is not installed.
        roles: words from :mod:`xaiboard.benchmark.toolkit.roles` by which sections of the report find the metric.
        images: whether it makes sense for images only, and does not apply to vectors ``(B, F)``: because it moves,
            blurs or compares neighbours, which in a vector mean nothing.
        version: raised by hand when the score changes its meaning.
    """

    def register(function: F) -> F:
        metrics.add(
            make_metric(
                function,
                name=name,
                source=source,
                family=family,
                higher_is_better=higher_is_better,
                across_models=across_models,
                range=range,
                columns=columns,
                shared=shared,
                whole=whole,
                library=library,
                roles=roles,
                images=images,
                version=version,
            )
        )
        return function

    return register


def make_metric(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    source: str = "",
    family: str = "own",
    higher_is_better: bool | None = True,
    across_models: bool = False,
    range: ScoreRange | None = None,
    columns: Mapping[str, Column] | None = None,
    shared: Sequence[Callable[..., Any]] = (),
    whole: bool = False,
    library: str = "",
    roles: Sequence[str] = (),
    images: bool = False,
    version: int = 1,
) -> Metric:
    """The entry that :func:`metric` would register, without registering it."""
    made = [Component(**_common("shared value", None, value, "", version)) for value in shared]
    values = {value.name: value for value in made}
    common = _common("metric", name, function, source, version, tuple(values))
    _require_naming_setting("metric", common, asked="other_attribution", setting="other")
    for value in values.values():
        missing = set(value.settings) - set(common["settings"])
        if missing:
            raise XaiboardError(
                f"metric '{common['name']}' shares '{value.name}', whose setting '{min(missing)}' it does not have"
            )
    too_large = set(common["supplied"]) - {*values, *OF_ALL}
    if whole and too_large:
        raise XaiboardError(
            f"metric '{common['name']}' is called with all samples at once and asks for '{min(too_large)}'; it may ask"
            f" for: {', '.join((*OF_ALL, *values))} (what takes more goes into a shared value)"
        )
    for column, declared in (columns or {}).items():
        if absent := set(declared.reads) - set(values) - ({OF_CLASS} & set(common["supplied"])):
            raise XaiboardError(
                f"column '{MetricColumn(common['name'], column)}' reads '{min(absent)}', which is no shared value of"
                " the metric; name it in shared="
            )
    for column, declared in {"": Column(range=range), **(columns or {})}.items():
        if declared.range is not None:
            _require_two_bounds(str(MetricColumn(common["name"], column)), declared.range)
    return Metric(
        **common,
        family=family,
        higher_is_better=higher_is_better,
        across_models=across_models,
        range=range,
        columns=columns or {},
        shared=values,
        whole=whole,
        library=library,
        roles=tuple(roles),
        images=images,
    )


@checked
def perturbation(
    *,
    name: str | None = None,
    source: str = "",
    applies: Callable[[str, Mapping[str, Any]], str | None] | None = None,
    roles: Sequence[str] = (),
    images: bool = False,
    version: int = 1,
) -> Callable[[F], F]:
    """Registers a perturbation: a function that returns a changed ``x`` of the same shape, in ``[0, 1]``.

    Args:
        name: name in tables; the function's name by default.
        source: paper and equation.
        applies: called with the name of the explained method and with the perturbation's settings; returns the reason
            why the perturbation does not apply, or None if it does. Of a method that changes another one's map, the
            name is that of the other one.
        roles: words from :mod:`xaiboard.benchmark.toolkit.roles` by which sections of the report find the perturbation.
        images: whether it makes sense for images only, and does not apply to vectors ``(B, F)``: because it moves,
            blurs or compares neighbours, which in a vector mean nothing.
        version: raised by hand when the perturbation changes its meaning.
    """

    def register(function: F) -> F:
        common = _common("perturbation", name, function, source, version)
        _require_naming_setting(
            "perturbation", common, asked="other_model", setting="other", example="cnn.standard"
        )
        perturbations.add(Perturbation(**common, applies=applies, roles=tuple(roles), images=images))
        return function

    return register


def _require_two_bounds(column: str, bounds: object) -> None:
    """Checks what a column declares as its range."""
    match bounds:
        case ((int() | float()) as low, (int() | float()) as high) if (
            isinstance(bounds, tuple) and low < high
        ):
            return
    raise XaiboardError(
        f"the range of '{column}' must be its smallest and its largest score, as in range=(0, 1), or as in"
        f" range=(0, math.inf) where there is no bound; got {bounds!r}"
    )


def _require_naming_setting(
    kind: str, common: Mapping[str, Any], *, asked: str, setting: str, example: str = "saliency"
) -> None:
    """Checks that a component has the setting that names another component, if it asks for something of that one."""
    if asked in common["supplied"] and setting not in common["settings"]:
        raise XaiboardError(
            f"{kind} '{common['name']}' asks for '{asked}', so it needs a setting that names whose:"
            f" {setting}='{example}'"
        )


def _common(
    kind: str,
    name: str | None,
    function: Callable[..., Any],
    source: str,
    version: int,
    shared: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The fields that entries of all kinds have, read from the function's signature.

    Raises:
        XaiboardError: a name that cannot stand in tables, or a signature outside the vocabulary.
    """
    if not callable(function) or not (name or hasattr(function, "__name__")):
        raise XaiboardError(
            f"{kind} {shown(function)} is no named function; decorate a function, or give a name"
        )
    name = name or function.__name__
    if not re.fullmatch(r"[\w.+-]+", name):
        raise XaiboardError(f"{kind} name '{name}' may have letters, digits, '_', '.', '+' and '-' only")
    if len(name.encode()) > LONGEST:
        raise XaiboardError(f"{kind} name '{name[:40]}…' is too long; give one of at most {LONGEST} bytes")
    if version < 1:
        raise XaiboardError(f"the version of {kind} '{name}' must be at least 1; got {version}")
    if kind == "metric" and "." in name:
        raise XaiboardError(
            f"metric name '{name}' may have no '.': in tables it separates the metric from its column"
        )
    read = read_signature(kind, name, function, shared)
    return {
        "name": name,
        "function": function,
        "source": source,
        "version": version,
        **read._asdict(),
    }
