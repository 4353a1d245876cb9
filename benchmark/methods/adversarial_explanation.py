"""Adversarial explanations: a small change of the image that makes a class more likely, or less."""

from typing import Literal

from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.minimal_attacks import explaining_change
from ..toolkit.ranges import Count, Positive


@method(source="Woods et al. 2019, arXiv:1906.02896, g+ and g-; step lengths and radius of the released code")
def adversarial_explanation(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    direction: Literal["plus", "minus"] = "plus",
    radius: Positive = 0.1,
    steps: Count = 35,
    overshoot: Positive = 5.0,
) -> Tensor:
    """Change ``g - x`` from an image to its adversarial explanation g, shaped like ``x``, in units of ``x``.

    The explanation g is ``x`` plus the attribution; the paper shows g itself, which may leave ``[0, 1]``. As long as
    the root mean square (RMSE) of the change is below ``radius``, each step climbs the log odds of the target
    (``plus``) or descends them (``minus``). Above ``radius`` a step goes straight back towards the image. The paper
    climbs the cross-entropy; its gradient has the same direction, but vanishes where the softmax saturates.

    The paper's code refuses images whose change does not reach ``radius`` in the first half of the steps. Here their
    last change is kept, and its RMSE is below ``radius``. This is common on ordinary networks, where steps partly
    cancel each other.

    It costs ``steps + 1`` forward and ``steps`` backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        direction: whether the target gets more likely (``plus``) or less (``minus``).
        radius: root mean square of the change at which the steps turn back, in units of ``x``.
        steps: number of steps, whose lengths fall linearly.
        overshoot: sum of the lengths of all steps, in units of ``radius``.
    """
    return explaining_change(
        model, x, target, direction=direction, radius=radius, steps=steps, overshoot=overshoot
    )
