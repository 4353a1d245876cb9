"""Patches of an input, some of which are kept while the others become a baseline."""

import torch
from torch import Tensor, nn

from ...toolkit.per_side import sized


def patch_numbers(x: Tensor, patch: int) -> Tensor:
    """Number of the patch to which each pixel belongs, ``(H, W)`` or ``(F,)``; patches are counted row by row."""
    patch, number = sized(patch, x), torch.zeros((), dtype=torch.long, device=x.device)
    for size in x.shape[2:] or x.shape[1:]:
        along = torch.arange(size, device=x.device) // patch
        number = number[..., None] * (int(along[-1]) + 1) + along
    return number


def keep(x: Tensor, present: Tensor, numbers: Tensor, baseline: float) -> Tensor:
    """``x`` where its patch is ``present (B, P)``, the baseline elsewhere; all channels of a patch go together."""
    visible = present[:, numbers]
    return torch.where(visible[:, None] if x.dim() > 2 else visible, x, baseline)


def spread(values: Tensor, numbers: Tensor, x: Tensor) -> Tensor:
    """A map shaped like ``x``, in which the elements of each patch share its value in ``values (B, P)`` equally."""
    channels = x.shape[1] if x.dim() > 2 else 1
    pixels = numbers.flatten().bincount(minlength=values.shape[1])
    share = (values / (channels * pixels))[:, numbers]
    return (share[:, None] if x.dim() > 2 else share).expand_as(x).to(x)


@torch.no_grad()
def logit(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """The target's logit, ``(B,)``."""
    return model(x).gather(1, target[:, None])[:, 0]
