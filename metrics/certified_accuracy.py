"""Certified accuracy: the prediction is right, and provably stays so in a ball around the input."""

from math import inf

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.ranges import NotNegative


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    range=(0, 1),
    source="Tsuzuku et al. 2018, arXiv:1802.04034, prop. 1; Serrurier et al. 2021, arXiv:2006.06520",
    columns={"radius": Column(higher_is_better=True, across_models=True, range=(0, inf))},
    roles=["certified radius"],
)
def certified_accuracy(
    logits: Tensor, label: Tensor, certificate: Tensor, *, epsilon: NotNegative = 0.5
) -> dict[str, Tensor]:
    """1 where the prediction is right and certified in the L2 ball of radius ``epsilon``, else 0, ``(B,)``.

    Args:
        logits: ``(B, K)``.
        label: true classes, ``(B,)``.
        certificate: radius of the L2 ball in which the prediction cannot change, ``(B,)``, in units of ``x``.
        epsilon: radius of the ball in which the prediction must not change, in units of ``x``.

    Returns:
        The indicator. ``radius``: the certificate where the prediction is right, else 0.
    """
    right = logits.argmax(1) == label
    return {
        "": (right & (certificate >= epsilon)).to(logits),
        "radius": torch.where(right, certificate, 0.0),
    }
