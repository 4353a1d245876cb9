"""Saliency: the gradient of the explained logit."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.gradient import gradient


@method(source="Simonyan et al. 2014, arXiv:1312.6034")
def saliency(model: nn.Module, x: Tensor, target: Tensor, *, abs: bool = False) -> Tensor:
    """Gradient of the target's logit, shaped like ``x``, in logits per unit of ``x``.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        abs: whether to return magnitudes, as in the paper, in place of signed gradients.
    """
    attribution = gradient(model, x, target)
    return attribution.abs() if abs else attribution
