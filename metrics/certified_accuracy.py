"""Certified accuracy: right, and provably so in a ball around the input."""

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.checks import at_least


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    source="Tsuzuku et al. 2018, arXiv:1802.04034, prop. 1; Serrurier et al. 2021, arXiv:2006.06520",
    columns={"radius": Column(higher_is_better=True, across_models=True)},
    roles=["certified radius"],
)
def certified_accuracy(
    logits: Tensor, label: Tensor, certificate: Tensor, *, epsilon: float = 0.5
) -> dict[str, Tensor]:
    """1 where the prediction is right and certified in the L2 ball of radius ``epsilon``, 0 elsewhere, ``(B,)``.

    Args:
        logits: ``(B, K)``.
        label: true classes, ``(B,)``.
        certificate: radius of the L2 ball in which the prediction cannot change, ``(B,)``, in units of ``x``.
        epsilon: radius that is asked for, in units of ``x``.

    Returns:
        The indicator; ``radius``, the certificate where the prediction is right and 0 elsewhere.

    Raises:
        XaiboardError: ``epsilon`` is negative.
    """
    at_least(0, "certified_accuracy", epsilon=epsilon)
    right = logits.argmax(1) == label
    return {
        "": (right & (certificate >= epsilon)).to(logits),
        "radius": torch.where(right, certificate, 0.0),
    }
