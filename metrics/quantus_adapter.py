"""Quantus: any of its metrics by name, with the conventions of this suite."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from math import inf
from typing import Any

from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.errors import SettingError, unknown
from ..benchmark.toolkit.rng import SampleRng
from .shared.quantus_bridge import Explain, one_by_one

SOURCE = "Hedström et al. 2023, JMLR 24(34), arXiv:2202.06861"

OF_BATCHES = ("BatchSufficiency", "Consistency", "SensitivityN", "Sufficiency")
"""Metrics that compare the samples of a batch with each other."""


@dataclass(frozen=True)
class QuantusMetric:
    """A metric of Quantus.

    Args:
        name: name of the metric's class in ``quantus``.
        absolute: whether Quantus takes magnitudes first (its ``abs``).
        normalise: whether Quantus divides each map by its largest magnitude first.
    """

    name: str = "Sparseness"
    absolute: bool = False
    normalise: bool = False


@metric(family="own", higher_is_better=None, range=(-inf, inf), source=SOURCE, library="quantus")
def quantus(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    explain: Explain,
    rng: SampleRng,
    *,
    chosen: QuantusMetric = QuantusMetric(),
) -> Tensor:
    """Score of each sample by the Quantus metric ``name``, ``(B,)``; not ranked, since metrics differ in direction.

    The metric runs with Quantus' own defaults, except for these conventions. Attributions are passed as they are:
    signed, and shaped like ``x``, since Quantus erases the channels of a pixel one by one. Nothing is displayed. Each
    sample is a batch of its own, whose random numbers follow from the sample's; global random numbers are restored.
    Quantus refuses constant, all-zero and all-negative maps before the metric sees them; here the metric itself
    decides. A score that is not finite fails the cell, and so does an error in Quantus (metrics that need
    ``numpy.trapz``, which numpy 2.4 removed).

    For settings of the metric, its direction, or a curve, write a metric of your own in a plug-in::

        import quantus
        from xaiboard.benchmark import metric
        from xaiboard.metrics.shared.quantus_bridge import one_by_one

        @metric(family="faithfulness", higher_is_better=True)
        def correlation(model, x, target, attribution, explain, rng, *, subset=32):
            make = lambda: quantus.FaithfulnessCorrelation(subset_size=subset, normalise=False)
            return one_by_one(make, model, x, target, attribution, explain, rng)

    Args:
        model: images to logits ``(B, K)``; Quantus calls it with float32.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        target: explained classes, ``(B,)``.
        attribution: shaped like ``x``.
        explain: the attribution by the same method, for any target and network, of one sample's inputs.
        rng: random numbers of each sample, which seed the metric.
        chosen: the metric of Quantus.

    Raises:
        XaiboardError: there is no such metric, or it needs a mask, compares samples with each other, or returns more
            than one number for a sample.
    """
    return one_by_one(_maker(chosen, masked=False), model, x, target, attribution, explain, rng)


@metric(family="localisation", higher_is_better=None, range=(-inf, inf), source=SOURCE, library="quantus")
def quantus_localisation(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    mask: Tensor,
    explain: Explain,
    rng: SampleRng,
    *,
    chosen: QuantusMetric = QuantusMetric("PointingGame"),
) -> Tensor:
    """Score of each sample by a Quantus metric that compares the map with a mask, ``(B,)``; not ranked.

    As :func:`quantus`, except that attributions are summed over channels, since the mask, bool ``(B, 1, H, W)``, has
    only one.
    """
    return one_by_one(_maker(chosen, masked=True), model, x, target, attribution, explain, rng, mask)


def _maker(chosen: QuantusMetric, *, masked: bool) -> Callable[[], Any]:
    """A function that makes the chosen metric of Quantus.

    Raises:
        SettingError: there is none of that name, it needs a mask and there is none, or it does not score samples one by
            one.
    """
    name = chosen.name
    library: Any = import_module("quantus")
    base = import_module("quantus.metrics.base").Metric
    known: dict[str, Any] = {
        key: value
        for key, value in vars(library).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }
    if name not in known:
        raise SettingError(str(unknown("Quantus metric", name, known)))
    if name in OF_BATCHES:
        raise SettingError(
            f"Quantus' {name} compares the samples of a batch, and would depend on how they are batched; choose one"
            " that scores each sample alone"
        )
    if not masked and known[name].evaluation_category.value == "Localisation":
        raise SettingError(
            f"Quantus' {name} compares with a mask, which 'quantus' does not ask for; use"
            f" quantus_localisation[name={name}]"
        )
    return lambda: known[name](
        abs=chosen.absolute, normalise=chosen.normalise, disable_warnings=True, display_progressbar=False
    )
