"""Self-attention of a transformer, read while it runs: the weights between its tokens, and their gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...errors import XaiboardError
from ...toolkit.executed import Calls
from .cam import on_pixels
from .layers import unfollowed
from .tokens import size_inside, token_grid


class Layer(NamedTuple):
    """The self-attention of one layer.

    Args:
        weights: how much each token (row) takes of each token (column), by head, ``(B, heads, N, N)``; rows sum to 1.
        gradient: of the explained logits with respect to them.
    """

    weights: Tensor
    gradient: Tensor


class _Seen(NamedTuple):
    """Attention weights of a call, and the tensor with the same values by which the network goes on."""

    weights: Tensor
    used: Tensor


class _Attentions:
    """Keeps the attention weights of a forward pass. A fused function, which has none, is computed step by step."""

    def __init__(self) -> None:
        self.seen: list[_Seen] = []

    def called(self, func: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:  # noqa: ANN401
        name = getattr(func, "__name__", "")
        if name == "scaled_dot_product_attention":
            return self._step_by_step(*args, **settings)
        if name == "multi_head_attention_forward" and "need_weights" in settings:
            return self._with_weights(func, args, settings)
        result = func(*args, **settings)
        if name == "softmax" and result.dim() == 4 and settings.get("dim", args[1:2]) in (-1, 3, (-1,), (3,)):
            self.seen.append(_Seen(result, result))
        return result

    def _with_weights(self, func: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:  # noqa: ANN401
        """What torch's layer of attention computes; its weights are a view of those that it goes on with."""
        output, weights = func(*args, **{**settings, "need_weights": True, "average_attn_weights": False})
        if weights.dim() == 4 and weights._base is not None:
            self.seen.append(_Seen(weights, weights._base))
        if not settings["need_weights"]:
            return output, None
        return output, weights.mean(1) if settings.get("average_attn_weights", True) else weights

    def _step_by_step(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """What ``scaled_dot_product_attention`` returns; torch names its arguments."""
        if is_causal or enable_gqa or dropout_p:
            raise XaiboardError(
                "the model calls its attention with is_causal, enable_gqa or dropout, which is not followed here"
            )
        scores = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
        if attn_mask is not None:
            hidden = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if hidden else scores + attn_mask
        weights = scores.softmax(-1)
        self.seen.append(_Seen(weights, weights))
        return weights @ value


@torch.enable_grad()
def self_attention(model: nn.Module, x: Tensor, target: Tensor) -> list[Layer]:
    """The self-attention of each layer, from the first one to the last; it costs one forward and one backward pass.

    Args:
        model: the network; nothing is changed in it.
        x: images.
        target: explained classes, ``(B,)``.

    Raises:
        XaiboardError: there is none to be read, or tokens attend to each other in another way than all to all.
    """
    if reason := unfollowed(model):
        raise XaiboardError(reason)
    attentions = _Attentions()
    with Calls(attentions.called):
        logit = model(x.detach().requires_grad_()).gather(1, target[:, None]).sum()
    seen = [each for each in attentions.seen if each.used.requires_grad]
    if not seen:
        raise XaiboardError("the model has no self-attention whose weights can be read")
    shapes = {tuple(each.weights.shape) for each in seen}
    tokens = seen[0].weights.shape[-1]
    if any(len(x) != count or rows != tokens or columns != tokens for count, _, rows, columns in shapes):
        raise XaiboardError(
            "not all tokens of an image attend to each other in every layer of the model: its attention is in windows,"
            " on several scales, or of other tokens"
        )
    gradients = torch.autograd.grad(logit, [each.used for each in seen], allow_unused=True)
    return [
        Layer(each.weights.detach(), gradient.view_as(each.weights))
        for each, gradient in zip(seen, gradients, strict=True)
        if gradient is not None
    ]


def read_tokens(layers: list[Layer]) -> Tensor:
    """By which weights the logits read the tokens of the last layer, ``(B, N)``, with a sum of 1.

    The tokens that the gradient says they depend on, equally: the class token alone, or all that are averaged.
    """
    read = (layers[-1].gradient != 0).any(3).any(1).to(layers[-1].weights)
    return read / read.sum(1, keepdim=True).clamp_min(1)


def of_patches(relevance: Tensor, model: nn.Module, x: Tensor, reshape: str) -> Tensor:
    """The relevance of tokens ``(B, N)`` as a map shaped like ``x``, without tokens in front of those of patches."""
    rows, columns = token_grid(relevance.shape[1], size_inside(model, x), reshape)
    return on_pixels(relevance[:, None, -rows * columns :].unflatten(2, (rows, columns)), x)


def reads_attention(model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, Any]) -> None:
    """Reads the self-attention for one image, and finds the grid of its patches.

    Raises:
        XaiboardError: there is none, or the tokens are no grid.
    """
    if x.dim() != 4:
        raise XaiboardError(f"attention is shown on images (B, C, H, W), and x has shape {tuple(x.shape)}")
    layers = self_attention(model, x, target)
    token_grid(layers[-1].weights.shape[-1], size_inside(model, x), settings["reshape"])
