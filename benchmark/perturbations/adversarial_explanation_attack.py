"""The image that an adversarial explanation shows: an attack on the prediction, for contrast with attacks on maps."""

from typing import Literal

from torch import Tensor, nn

from ..components.decorators import perturbation
from ..toolkit.checks import at_least, radius
from ..toolkit.minimal_attacks import explaining_change


@perturbation(source="Woods et al. 2019, arXiv:1906.02896, g+ and g-; step lengths of the released code")
def adversarial_explanation_attack(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    direction: Literal["plus", "minus"] = "minus",
    eps: float = 0.1,
    steps: int = 35,
    overshoot: float = 5.0,
) -> Tensor:
    """The image that makes the explained class less likely, or more (``plus``), clipped to ``[0, 1]``, like ``x``.

    ``x`` plus the attribution of the method ``adversarial_explanation``. With ``minus`` few predictions hold on
    ordinary networks. Nothing is random.

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``.
        direction: whether the class gets more likely or less.
        eps: root mean square of the change over all its values at which it turns back, in units of ``x``: no radius
            in the sup norm, which single values exceed. Steps end a little beyond it or inside, and clipping shortens.
        steps: their lengths fall linearly; each costs a forward and a backward pass.
        overshoot: sum of the lengths of the steps, in radii.

    Raises:
        XaiboardError: a setting out of range.
    """
    radius("adversarial_explanation_attack", eps)
    at_least(1, "adversarial_explanation_attack", steps=steps)
    at_least(0, "adversarial_explanation_attack", overshoot=overshoot)
    change = explaining_change(
        model, x, target, direction=direction, radius=eps, steps=steps, overshoot=overshoot
    )
    return (x + change).clamp(0, 1)
