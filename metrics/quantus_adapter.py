"""Quantus: any of its metrics by name, under the conventions of this suite."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.errors import SettingError, unknown
from ..benchmark.toolkit.rng import SampleRng
from .shared.quantus_bridge import Explain, one_by_one

SOURCE = "Hedström et al. 2023, JMLR 24(34), arXiv:2202.06861"

OF_BATCHES = ("BatchSufficiency", "Consistency", "SensitivityN", "Sufficiency")
"""Metrics that compare the samples of a batch with one another."""


@metric(family="own", higher_is_better=None, source=SOURCE, library="quantus")
def quantus(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    explain: Explain,
    rng: SampleRng,
    *,
    name: str = "Sparseness",
    absolute: bool = False,
    normalise: bool = False,
) -> Tensor:
    """The score of a sample by the Quantus metric ``name``, ``(B,)``; no rank, since its direction is the metric's own.

    The metric has Quantus' own defaults but for these conventions: attributions are signed, as they are, and shaped
    like ``x``, since Quantus erases the colours of a pixel one by one; nothing is displayed. Each sample is a batch of
    its own, whose random numbers follow from its stream; the global ones are put back. Quantus refuses constant,
    all-zero and all-negative maps unseen: here the metric itself decides. A score that is not finite fails the cell,
    and so does an error in Quantus (what needs ``numpy.trapz``, which numpy 2.4 no longer has).

    For settings of the metric, its direction, or a curve, write a metric of your own in a plug-in::

        import quantus
        from xaiboard.benchmark import metric
        from xaiboard.metrics.quantus_bridge import one_by_one

        @metric(family="faithfulness", higher_is_better=True)
        def correlation(model, x, target, attribution, explain, rng, *, subset=32):
            make = lambda: quantus.FaithfulnessCorrelation(subset_size=subset, normalise=False)
            return one_by_one(make, model, x, target, attribution, explain, rng)

    Args:
        model: images to logits ``(B, K)``; Quantus hands it float32.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        target: explained classes, ``(B,)``.
        attribution: shaped like ``x``.
        explain: the attribution by the same method, for any target and network, of one sample's inputs.
        rng: seeds the metric, sample by sample.
        name: of a class in ``quantus``.
        absolute: whether Quantus takes magnitudes first (its ``abs``).
        normalise: whether Quantus divides each map by its largest magnitude first.

    Raises:
        XaiboardError: no such metric, one that needs a mask, compares samples, or gives more than a number for one.
    """
    made = _maker(name, absolute=absolute, normalise=normalise, masked=False)
    return one_by_one(made, model, x, target, attribution, explain, rng)


@metric(family="localisation", higher_is_better=None, source=SOURCE, library="quantus")
def quantus_localisation(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    mask: Tensor,
    explain: Explain,
    rng: SampleRng,
    *,
    name: str = "PointingGame",
    absolute: bool = False,
    normalise: bool = False,
) -> Tensor:
    """:func:`quantus` for the metrics that compare with a mask, bool ``(B, 1, H, W)``, ``(B,)``; no rank.

    The conventions are the same, but that attributions are summed over channels, since a mask has none.
    """
    made = _maker(name, absolute=absolute, normalise=normalise, masked=True)
    return one_by_one(made, model, x, target, attribution, explain, rng, mask)


def _maker(name: str, *, absolute: bool, normalise: bool, masked: bool) -> Callable[[], Any]:
    """Makes the Quantus metric of that name.

    Raises:
        SettingError: there is none, it needs a mask and there are none, or it does not score samples one by one.
    """
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
        abs=absolute, normalise=normalise, disable_warnings=True, display_progressbar=False
    )
