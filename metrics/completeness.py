"""Completeness: whether the attributions add up to the change of the logit from a baseline to the input."""

from torch import Tensor, finfo, nn, no_grad

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Weighted
from ..benchmark.toolkit.data import Reference
from .shared.baselines import BLUR, Baseline, Blur, baseline_image

FLOOR = 1e-6
"""A change of the logit counts as at least this share of the sum of attributions, so that the score is finite."""


def baseline_logits(
    model: nn.Module,
    x: Tensor,
    reference: Reference | None,
    *,
    baseline: Baseline = "zero",
    blur: Blur = BLUR,
) -> Tensor:
    """Logits of the baseline of each input, ``(B, K)``."""
    with no_grad():
        return model(baseline_image(x, reference, baseline, blur))


@metric(
    family="faithfulness",
    higher_is_better=False,
    range=(0, 1 + 1 / FLOOR),
    source="Sundararajan et al. 2017, arXiv:1703.01365, prop. 1",
    shared=[baseline_logits],
)
def completeness(
    target: Tensor,
    logits: Tensor,
    attribution: Tensor,
    baseline_logits: Tensor,
    *,
    baseline: Baseline = "zero",
    blur: Blur = BLUR,
) -> Weighted:
    """``|sum(attribution) - (f(x) - f(baseline))| / |f(x) - f(baseline)|`` of the target's logit, ``(B,)``.

    Lower is better: 0 where the attributions add up to the change of the logit, 1 for an all-zero map. The score says
    nothing about methods that do not claim to add up to this change (gradients, Grad-CAM), nor about methods that use
    another baseline. The mean over samples is weighted by the change, ``sum |gap| / sum |f(x) - f(baseline)|``; an
    unweighted mean would be decided by samples on which the change is tiny. A change below a millionth of the sum of
    attributions is raised to that. Models can be compared only if the attribution follows the scale of the logits.
    Quantus asks instead whether both numbers are equal to the last bit.

    Args:
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        attribution: ``(B, C, H, W)`` or ``(B, F)``.
        baseline_logits: outputs for the baseline, ``(B, K)``.
        baseline: ``zero`` (black), the training set's ``mean`` image, or a ``blur`` of ``x``.
        blur: standard deviation of the ``blur``, in pixels.

    Raises:
        XaiboardError: the baseline is not available.
    """
    del blur  # read by the shared value
    change = (logits - baseline_logits).gather(1, target[:, None])[:, 0]
    total = attribution.flatten(1).sum(1)
    scale = change.abs()
    smallest = (FLOOR * total.abs()).clamp_min(finfo(total.dtype).tiny)
    return Weighted((total - change).abs() / scale.maximum(smallest), scale)
