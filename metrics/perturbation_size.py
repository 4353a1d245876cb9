"""Perturbation size: how far the perturbed input is from the original, and how much the output changes."""

from math import inf

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.pgd import margin

GAIN = 2.0
"""The ratio of the margins is cut at this value, and at its negative."""


@metric(
    family="perturbation",
    higher_is_better=None,
    across_models=True,
    range=(0, inf),
    source="distances of Ghorbani et al. 2019, arXiv:1710.10547; outputs as in Kiourti et al. 2025, arXiv:2512.06665",
    columns={
        "linf": Column(across_models=True, range=(0, 1)),
        "held": Column(across_models=True, range=(0, 1)),
        "output_change": Column(range=(0, 1)),
        "margin_kept": Column(across_models=True, range=(-GAIN, GAIN)),
    },
    roles=["size of a perturbation"],
)
def perturbation_size(
    x: Tensor, target: Tensor, logits: Tensor, perturbed_x: Tensor, perturbed_logits: Tensor
) -> dict[str, Tensor | Weighted]:
    """L2 norm of the perturbation ``perturbed_x - x``, in units of ``x``, ``(B,)``; over all samples.

    Its columns are not scores, and none of their values is better than another: they are the conditions under which two
    maps are compared. They include the samples whose prediction changes; metrics that compare maps leave these out.

    Args:
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        perturbed_x: perturbed inputs, shaped like ``x``.
        perturbed_logits: outputs for them.

    Returns:
        ``(B,)`` each. The L2 norm. ``linf``: the sup norm, the largest change of an element. ``held``: 1 if the
        predicted class stays the same, else 0. ``output_change``: total variation distance between the softmax outputs,
        in ``[0, 1]``, which depends on the temperature of the logits, so it compares only within one model.
        ``margin_kept``: margin of the explained class after the perturbation, divided by the margin before; 1 if
        unchanged, 0 on the decision boundary, negative if another class leads; cut at -2 and 2. The margin before is
        its weight, so its mean is a ratio of means; a sample on which the explained class does not lead has no weight.
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
