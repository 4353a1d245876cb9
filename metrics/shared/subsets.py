"""Random subsets of pixels that all methods share, and that can be drawn again from a stored seed."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ...benchmark.toolkit.rng import SampleRng

KEYS = 2**24
"""Number of possible seeds: the whole numbers up to this one are exact in float32."""


def draw_keys(x: Tensor, rng: SampleRng) -> Tensor:
    """A random seed for each sample, a whole number, ``(B, 1)``, in the dtype of ``x``.

    The subsets would take more memory than the images. So only their seed is stored, with the losses of logit, and
    every method draws the same subsets from it again.
    """
    drawn = rng.uniform(
        torch.empty(len(x), 1, dtype=torch.float64)
    )  # in float32 it would be rounded, which is another seed
    return (drawn * KEYS).floor().to(x)


def drawn_by(keys: Tensor) -> SampleRng:
    """The random numbers of each seed, from the start of its stream."""
    return SampleRng(0, keys[:, 0].long().tolist(), "subsets")


def logit_of(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Logit of the target, ``(B, 1)``."""
    with torch.no_grad():
        return model(x).gather(1, target[:, None])


def drops(model: nn.Module, x: Tensor, target: Tensor, changed: Iterable[Tensor]) -> Tensor:
    """Loss of the target's logit from ``x`` to each of the ``changed`` inputs, ``(B, draws)``."""
    before = logit_of(model, x, target)
    return torch.cat([before - logit_of(model, each, target) for each in changed], dim=1)


def over_channels(mask: Tensor, x: Tensor) -> Tensor:
    """A mask of pixels ``(B, P)``, in a shape that broadcasts over the channels of ``x``."""
    return mask if x.dim() == 2 else mask.view(len(x), 1, *x.shape[2:])
