"""Adversarial explanations: the small change of the image that makes the model see more, or less, of a class."""

from typing import Literal

from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.checks import at_least, positive
from ..toolkit.minimal_attacks import explaining_change


@method(source="Woods et al. 2019, arXiv:1906.02896, g+ and g-; step lengths and radius of the released code")
def adversarial_explanation(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    direction: Literal["plus", "minus"] = "plus",
    radius: float = 0.1,
    steps: int = 35,
    overshoot: float = 5.0,
) -> Tensor:
    """The change ``g - x`` from an image to its adversarial explanation, shaped like ``x``, in its units.

    ``x`` plus the attribution is the explanation g, which the paper shows as it is; it may leave ``[0, 1]``. Steps
    climb the target's log odds (``plus``) or descend (``minus``) while the change's RMSE is below ``radius``, and
    turn back to the image above it. The paper climbs the cross-entropy, whose gradient has the same direction, but
    vanishes where the softmax saturates.

    The paper's code refuses images whose change does not reach ``radius`` in the first half of the steps; here
    they keep the change that they have. This is common on ordinary networks, where steps do not add up: an RMSE
    of the attribution below ``radius`` says so.

    Costs ``steps + 1`` forward and ``steps`` backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        direction: whether the target gets more likely or less.
        radius: root mean square of the change over all its values at which it turns back, in units of ``x``.
        steps: their lengths fall linearly.
        overshoot: sum of the lengths of the steps, in radii.

    Raises:
        XaiboardError: ``steps`` is smaller than 1, ``overshoot`` than 0, or ``radius`` is not positive.
    """
    at_least(1, "adversarial_explanation", steps=steps)
    positive("adversarial_explanation", radius=radius, overshoot=overshoot)
    return explaining_change(
        model, x, target, direction=direction, radius=radius, steps=steps, overshoot=overshoot
    )
