"""Attention relevance: attention of all layers, weighted by its positive effect on the explained logit."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.attention import of_patches, read_tokens, reads_attention, self_attention


@method(source="Chefer, Gur & Wolf 2021, arXiv:2103.15679, eq. 5-6 (self-attention)", verify=reads_attention)
def attention_relevance(model: nn.Module, x: Tensor, target: Tensor, *, reshape: str = "auto") -> Tensor:
    """Product over the layers of the identity plus the mean over heads of gradient times attention, ``(B, C, H, W)``.

    Only positive products of gradient and attention count, so the map is never negative. The row of the class token is
    read, or the mean row of all tokens that the logits depend on; the values of patches are resampled bilinearly to
    pixels, and the channels share them equally. Fused attention is computed step by step, to the same outputs. It costs
    one forward and one backward pass.

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
        relevance = relevance + relevance @ (layer.gradient * layer.weights).relu().mean(1)
    return of_patches(relevance[:, 0], model, x, reshape)
