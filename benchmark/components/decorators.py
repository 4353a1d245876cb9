"""The decorators that register components; they alone write to the registries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..errors import XaiboardError
from .kinds import Column, Component, Dataset, Method, Metric, Model, Perturbation
from .registry import datasets, methods, metrics, models, perturbations
from .signature import OF_ALL, read_signature

F = TypeVar("F", bound=Callable[..., Any])


def dataset(*, name: str | None = None, source: str = "", remote: bool = False) -> Callable[[F], F]:
    """Registers a data set: ``function(split)`` returns its images and labels.

    Args:
        name: name in tables; the function's name by default.
        source: paper or address.
        remote: whether loading may download files; the contract tests then leave it out.
    """

    def register(function: F) -> F:
        datasets.add(Dataset(**_common("dataset", name, function, source, 1), remote=remote))
        return function

    return register


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
        dataset: the data set on which it was trained; None if ``weights`` has a file for each data set.
        weights: safetensors file, relative to the file of the function; ``{dataset}`` stands for the name of the data
            set. If there is a card, a file of the same name that ends in ``.json``, it is checked. None if the function
            returns a trained network.
        lipschitz: L2 Lipschitz constant that the network claims; certificates need it, and audits check it.
        recipe: function that ``xaiboard train`` calls.
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


def method(
    *,
    name: str | None = None,
    source: str = "",
    control: bool = False,
    applies: Callable[[Any], str | None] | None = None,
    roles: Sequence[str] = (),
    version: int = 1,
) -> Callable[[F], F]:
    """Registers an attribution method, or a captum attribution class as it is.

    Args:
        name: name in tables; the function's name by default.
        source: paper and equation.
        control: whether it is a control (random, edges), which every useful method should beat.
        applies: takes the model and returns why the method does not apply to it, or None.
        roles: what it stands for in the report, by which sections find it (:mod:`xaiboard.benchmark.toolkit.roles`).
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
                roles=roles,
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
    roles: Sequence[str] = (),
    version: int = 1,
) -> Method:
    """The entry that :func:`method` would register."""
    common = _common("method", name, function, source, version)
    _names_whose("method", common, asked="attribution", setting="of")
    return Method(**common, roles=tuple(roles), control=control, applies=applies)


def metric(
    *,
    family: str,
    higher_is_better: bool | None,
    name: str | None = None,
    source: str = "",
    across_models: bool = False,
    columns: Mapping[str, Column] | None = None,
    shared: Sequence[Callable[..., Any]] = (),
    whole: bool = False,
    library: str = "",
    roles: Sequence[str] = (),
    version: int = 1,
) -> Callable[[F], F]:
    """Registers a metric: one score per sample, or a mapping of named columns of them.

    In a mapping, the name ``""`` is that of the plain score. A column may be a :class:`Weighted` pair; its mean over
    samples is then weighted. A column shaped ``(B, S)`` is a curve, which is stored and drawn, but not put into tables.

    Args:
        family: ``faithfulness``, ``stability``, ``agreement``, ``complexity``, ``localisation``, ``sanity``,
            ``perturbation`` (conditions of a comparison) or ``model``.
        higher_is_better: direction of the plain score; None if it has none.
        name: name in tables; the function's name by default.
        source: paper and equation.
        across_models: whether plain scores of different models may be compared.
        columns: direction and comparability of the named columns.
        shared: functions whose values do not depend on the method. They are computed once for each model, and supplied
            to the metric under the function's name. Their settings are settings of the metric too.
        whole: whether the function is called once with all samples of the run, since each score depends on all of them
            (as for a percentile). It may then ask only for ``target``, ``label``, ``logits`` and shared values, which
            are computed in batches.
        library: module of an optional library; without it the metric is inapplicable.
        roles: what it stands for in the report, by which sections find it (:mod:`xaiboard.benchmark.toolkit.roles`).
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
                columns=columns,
                shared=shared,
                whole=whole,
                library=library,
                roles=roles,
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
    columns: Mapping[str, Column] | None = None,
    shared: Sequence[Callable[..., Any]] = (),
    whole: bool = False,
    library: str = "",
    roles: Sequence[str] = (),
    version: int = 1,
) -> Metric:
    """The entry that :func:`metric` would register."""
    values = {
        value.__name__: Component(**_common("shared value", None, value, "", version)) for value in shared
    }
    common = _common("metric", name, function, source, version, tuple(values))
    _names_whose("metric", common, asked="other_attribution", setting="other")
    for value in values.values():
        missing = set(value.settings) - set(common["settings"])
        if missing:
            raise XaiboardError(
                f"metric '{common['name']}' shares '{value.name}', whose setting '{min(missing)}' it does not have"
            )
    heavy = set(common["supplied"]) - {*values, *OF_ALL}
    if whole and heavy:
        raise XaiboardError(
            f"metric '{common['name']}' is called with all samples at once and asks for '{min(heavy)}'; it may ask"
            f" for: {', '.join((*OF_ALL, *values))} (what takes more goes into a shared value)"
        )
    return Metric(
        **common,
        family=family,
        higher_is_better=higher_is_better,
        across_models=across_models,
        columns=columns or {},
        shared=values,
        whole=whole,
        library=library,
        roles=tuple(roles),
    )


def perturbation(
    *,
    name: str | None = None,
    source: str = "",
    applies: Callable[[str, Mapping[str, Any]], str | None] | None = None,
    roles: Sequence[str] = (),
    version: int = 1,
) -> Callable[[F], F]:
    """Registers a perturbation: a changed ``x`` of the same shape, in ``[0, 1]``.

    Args:
        name: name in tables; the function's name by default.
        source: paper and equation.
        applies: takes the name of the explained method (for a variant, that of its base) and the settings, and returns
            why the perturbation does not apply, or None.
        roles: what it stands for in the report, by which sections find it (:mod:`xaiboard.benchmark.toolkit.roles`).
        version: raised by hand when the perturbation changes its meaning.
    """

    def register(function: F) -> F:
        common = _common("perturbation", name, function, source, version)
        _names_whose("perturbation", common, asked="other_model", setting="other", example="cnn.standard")
        perturbations.add(Perturbation(**common, applies=applies, roles=tuple(roles)))
        return function

    return register


def _names_whose(
    kind: str, common: Mapping[str, Any], *, asked: str, setting: str, example: str = "saliency"
) -> None:
    """Refuses a component that asks for another one, but has no setting to name it."""
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
    name = name or function.__name__
    if not re.fullmatch(r"[\w.+-]+", name):
        raise XaiboardError(f"{kind} name '{name}' may have letters, digits, '_', '.', '+' and '-' only")
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
