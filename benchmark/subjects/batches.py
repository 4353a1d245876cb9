"""Whether a network treats each image of a batch alone: tried on images that differ as much as images can."""

from __future__ import annotations

from contextlib import suppress

import torch
from torch import Tensor, nn

from ..toolkit.rng import SampleRng
from .logits import are_same, logits_of


@torch.no_grad()
def mixes_images(model: nn.Module, x: Tensor) -> bool:
    """Whether the logits of an image depend on the other images of a batch, or on its place among them.

    Each image alone is compared with the batch, and the batch with itself in the opposite order.

    Args:
        model: the network, in evaluation mode.
        x: two images, ``(2, ...)``.
    """
    for images in (unlike(x), x):  # it may refuse images that are none, and is tried on real ones then
        with suppress(Exception):
            return _mixes(model, images)
    return True


def _mixes(model: nn.Module, x: Tensor) -> bool:
    together = logits_of(model, x)
    alone = torch.cat([logits_of(model, image[None]) for image in x])
    reversed_ = logits_of(model, x.flip(0)).flip(0)
    return not (are_same(together, alone) and are_same(together, reversed_))


def unlike(x: Tensor) -> Tensor:
    """Images with other means, maxima and contrasts, by which a network might scale or choose, ``(5, ...)``.

    They are an image, another one at half its contrast, noise, the first image almost dark, and almost bright. None is
    constant: a network may divide by what an image itself contains.

    Args:
        x: two images, ``(2, ...)``.
    """
    low, high = x.min().clamp_max(0), x.max().clamp_min(1)
    noise = low + (high - low) * SampleRng(0, [0], "unlike images").uniform(x[:1])[0]
    return torch.stack([x[0], x[1] / 2, noise, x[0] / 100, high - x[0] / 100])
