"""Logit change: how far a perturbation moves the output, on the scale of the logits themselves."""

from math import inf

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.minimal_attacks import rmse

ROUNDING = 4
"""Logits are equal where they differ by no more than so many units in the last place of the largest."""


@metric(
    family="perturbation",
    higher_is_better=None,
    across_models=True,
    range=(0, inf),
    source="Woods et al. 2019, arXiv:1906.02896, for the claim; the scale is the suite's own",
    columns={
        "target": Column(across_models=True, range=(-inf, inf)),
        "target_per_rmse": Column(across_models=True, range=(-inf, inf)),
    },
)
def logit_change(
    x: Tensor, target: Tensor, logits: Tensor, perturbed_x: Tensor, perturbed_logits: Tensor
) -> dict[str, Weighted]:
    """Length of the change of the logits, divided by the length of the logits before, ``(B,)``; over all samples.

    The mean over classes is taken away from logits first, since it changes no probability. A temperature divides both
    lengths, so the value compares models, unlike ``perturbation_size.output_change``. It is 0 where nothing changes,
    and 1 where all logits have become equal.

    Args:
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        perturbed_x: perturbed inputs, shaped like ``x``.
        perturbed_logits: outputs for them.

    Returns:
        ``(B,)`` each. The relative length. ``target``: change of the explained class's logit, divided by the same
        length: positive if the class has become more likely against the mean of all. ``target_per_rmse``: the same,
        divided by the root mean square of ``perturbed_x - x``. A sample whose logits are equal before has no weight,
        and in the last column none that is not changed.
    """
    before, change = (each - each.mean(1, keepdim=True) for each in (logits, perturbed_logits - logits))
    length = vector_norm(before, dim=1)
    defined = length > ROUNDING * torch.finfo(logits.dtype).eps * logits.abs().amax(1)
    length = length.where(defined, 1.0)
    towards = change.gather(1, target[:, None])[:, 0] / length
    size = rmse(perturbed_x - x)
    moved = size > 0
    weight = defined.to(length)
    return {
        "": Weighted(vector_norm(change, dim=1) / length, weight),
        "target": Weighted(towards, weight),
        "target_per_rmse": Weighted((towards / size.where(moved, 1.0)).where(moved, 0.0), weight * moved),
    }
