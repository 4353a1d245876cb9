"""Perturbation size: how far the perturbed input is, and what becomes of the prediction."""

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.pgd import margin

GAIN = 2.0
"""A lead that grows to more than this many times itself counts as much, as does one that turns into its negative."""


@metric(
    family="perturbation",
    higher_is_better=None,
    across_models=True,
    source="distances of Ghorbani et al. 2019, arXiv:1710.10547; outputs as in Kiourti et al. 2025, arXiv:2512.06665",
    columns={
        "linf": Column(across_models=True),
        "held": Column(across_models=True),
        "output_change": Column(),
        "margin_kept": Column(across_models=True),
    },
    roles=["size of a perturbation"],
)
def perturbation_size(
    x: Tensor, target: Tensor, logits: Tensor, perturbed_x: Tensor, perturbed_logits: Tensor
) -> dict[str, Tensor | Weighted]:
    """L2 norm of the perturbation ``perturbed_x - x``, in units of ``x``, ``(B,)``; over all samples.

    These are conditions of a comparison of two maps, and no score: nothing is better. They are measured on the samples
    that change their class too, unlike the metrics that compare maps.

    Args:
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        perturbed_x: perturbed inputs, shaped like ``x``.
        perturbed_logits: outputs for them.

    Returns:
        ``(B,)`` each: the norm; ``linf``, that of the largest change; ``held``, 1 where the class of the largest logit
        stays and 0 elsewhere; ``output_change``, the total variation distance between the softmax outputs, in
        ``[0, 1]``, which depends on the temperature of the logits and so is comparable within one model only;
        ``margin_kept``, the margin of the explained class after, over that before: 1 unchanged, 0 on the boundary,
        negative where another class leads, cut at -2 and 2. It is weighted by the margin before, so its mean is a
        ratio of means; a class that does not lead at first has no weight.
    """
    change = (perturbed_x - x).flatten(1)
    before, after = (-margin(outputs, target) for outputs in (logits, perturbed_logits))
    leads = before > 0
    ratio = (after / before.where(leads, 1.0)).clamp(-GAIN, GAIN)
    distance = (perturbed_logits.softmax(1) - logits.softmax(1)).abs().sum(1) / 2
    return {
        "": vector_norm(change, dim=1),
        "linf": vector_norm(change, ord=torch.inf, dim=1),
        "held": (perturbed_logits.argmax(1) == logits.argmax(1)).to(x.dtype),
        "output_change": distance.clamp_max(1),
        "margin_kept": Weighted(ratio.where(leads, 0.0), before.clamp_min(0)),
    }
