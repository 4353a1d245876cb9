"""Attention rollout: which patches the tokens come from that the logits read, if attention were all there is."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.attention import of_patches, read_tokens, reads_attention, self_attention


@method(source="Abnar & Zuidema 2020, arXiv:2005.00928, sec. 3", verify=reads_attention)
def attention_rollout(model: nn.Module, x: Tensor, target: Tensor, *, reshape: str = "auto") -> Tensor:
    """Product over the layers of half the mean attention of the heads plus half the identity, ``(B, C, H, W)``.

    The row of the class token is read, or the mean row of all tokens that the logits depend on; the values of patches
    are resampled bilinearly to pixels, and the channels share them equally. The class that is explained changes
    nothing. Fused attention is computed step by step, to the same outputs. It costs one forward and one backward pass.

    Args:
        model: vision transformer, ``(B, C, H, W)`` to logits ``(B, K)``, in which all tokens attend to each other.
        x: images.
        target: explained classes, ``(B,)``.
        reshape: how tokens lie in the image: auto for square patches, or rows and columns such as 14x14.

    Raises:
        XaiboardError: attention weights cannot be read, or the tokens are no grid.
    """
    layers = self_attention(model, x, target)
    relevance = read_tokens(layers)[:, None]
    for layer in reversed(layers):
        relevance = (relevance @ layer.weights.mean(1) + relevance) / 2
    return of_patches(relevance[:, 0], model, x, reshape)
