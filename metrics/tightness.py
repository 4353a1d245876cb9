"""Tightness of certificates: how much of the distance to the nearest adversarial image is certified."""

from math import inf

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Weighted
from ..benchmark.toolkit.ranges import Count
from .shared.box_distance import box_distance


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    range=(0, inf),  # a wrong certificate has no bound
    source="Serrurier et al. 2021, arXiv:2006.06520, section 4",
    shared=[box_distance],
)
def tightness(
    logits: Tensor, label: Tensor, certificate: Tensor, box_distance: Tensor, *, steps: Count = 100
) -> Weighted:
    """Certified radius divided by the distance of the nearest adversarial image found, in ``[0, 1]``, ``(B,)``.

    The mean is over the images that are predicted right. A value above 1 would disprove the certificate.

    Args:
        logits: ``(B, K)``.
        label: true classes, ``(B,)``.
        certificate: L2 radius in which the prediction cannot change, ``(B,)``.
        box_distance: L2 distance of the nearest adversarial image, and whether one was found, ``(B, 2)``. If none was
            found, the distance is the largest possible one, and the ratio a lower bound.
        steps: number of steps of each of the two attacks (DDN); each costs a forward and a backward pass.
    """
    del steps  # a setting of the shared value
    right = logits.argmax(1) == label
    ratio = certificate / box_distance[:, 0].clamp_min(1e-12)
    return Weighted(torch.where(right, ratio, 0.0), right.to(logits))
