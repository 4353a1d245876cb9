"""Input x gradient: the first-order Taylor term of the explained logit, from the black image to the input."""

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method


@method(source="Shrikumar et al. 2016, arXiv:1605.01713")
def input_x_gradient(model: nn.Module, x: Tensor, target: Tensor, *, abs: bool = False) -> Tensor:
    """Gradient of the target's logit times ``x``, element by element, shaped like ``x``, in logits.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        abs: whether to return magnitudes in place of signed products.
    """
    attribution = captum.attr.InputXGradient(model).attribute(x.detach().requires_grad_(), target).detach()
    return attribution.abs() if abs else attribution
