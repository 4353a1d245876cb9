"""The image that an adversarial explanation shows: an attack on the prediction, to compare with attacks on maps."""

from typing import Literal

from torch import Tensor, nn

from ..components.decorators import perturbation
from ..toolkit.minimal_attacks import explaining_change
from ..toolkit.ranges import Count, NotNegative, Radius


@perturbation(source="Woods et al. 2019, arXiv:1906.02896, g+ and g-; step lengths of the released code")
def adversarial_explanation_attack(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    direction: Literal["plus", "minus"] = "minus",
    eps: Radius = 0.1,
    steps: Count = 35,
    overshoot: NotNegative = 5.0,
) -> Tensor:
    """The adversarial explanation of ``x``, clipped to ``[0, 1]``, shaped like ``x``.

    It is ``x`` plus the attribution of the method ``adversarial_explanation``: an image on which the explained class is
    less likely (``minus``) or more likely (``plus``). With ``minus``, few predictions of ordinary networks hold.
    Nothing is random.

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``.
        direction: whether the class gets more likely (``plus``) or less (``minus``).
        eps: root mean square of the change at which the steps turn back, in units of ``x``. It is no radius in the sup
            norm: single values change more. The last step may end a little beyond it, and clipping shortens the change.
        steps: number of steps, whose lengths fall linearly; each costs a forward and a backward pass.
        overshoot: sum of the lengths of all steps, in units of ``eps``.
    """
    change = explaining_change(
        model, x, target, direction=direction, radius=eps, steps=steps, overshoot=overshoot
    )
    return (x + change).clamp(0, 1)
