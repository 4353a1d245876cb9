"""Patches of an input as the players of a game: some stay, the others give way to a baseline."""

import torch
from torch import Tensor, nn


def patch_numbers(x: Tensor, patch: int) -> Tensor:
    """Number of the patch of each pixel, ``(H, W)`` or ``(F,)``, row by row; patches at the edge may be smaller."""
    number = torch.zeros((), dtype=torch.long, device=x.device)
    for size in x.shape[2:] or x.shape[1:]:
        along = torch.arange(size, device=x.device) // patch
        number = number[..., None] * (int(along[-1]) + 1) + along
    return number


def keep(x: Tensor, present: Tensor, numbers: Tensor, baseline: float) -> Tensor:
    """``x`` where its patch is ``present (B, P)``, the baseline elsewhere; all channels of a patch move together."""
    visible = present[:, numbers]
    return torch.where(visible[:, None] if x.dim() > 2 else visible, x, baseline)


def spread(values: Tensor, numbers: Tensor, x: Tensor) -> Tensor:
    """A map shaped like ``x`` whose sum over each patch is its value in ``values (B, P)``, shared equally."""
    channels = x.shape[1] if x.dim() > 2 else 1
    pixels = numbers.flatten().bincount(minlength=values.shape[1])
    share = (values / (channels * pixels))[:, numbers]
    return (share[:, None] if x.dim() > 2 else share).expand_as(x).to(x)


@torch.no_grad()
def logit(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """The target's logit, ``(B,)``."""
    return model(x).gather(1, target[:, None])[:, 0]
