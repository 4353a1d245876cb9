"""RISE: random masks, weighted by the model's output for the masked image."""

from collections.abc import Iterator
from math import ceil
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..components.decorators import method
from ..errors import XaiboardError
from ..toolkit.ranges import Count, Share
from ..toolkit.rng import SampleRng
from .shared.patches import logit

TOGETHER = 16
"""Masks for which the random numbers of an image are drawn one after the other."""


@method(source="Petsiuk et al. 2018, arXiv:1806.07421, eq. 6 and sec. 3.2", images=True)
def rise(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: Count = 256,
    grid: Count = 7,
    share: Share = 0.5,
    output: Literal["probability", "logit"] = "probability",
) -> Tensor:
    """Mean over random masks of the mask times the model's output for the masked image, divided by ``share``.

    ``(B, C, H, W)``. A mask multiplies the image. It is a grid of cells, each open with probability ``share``; the grid
    is enlarged bilinearly, one cell larger than the image, and shifted at random. The value of a pixel estimates the
    mean output given that the pixel is visible. The map thus has a large constant part, and only differences between
    pixels have a meaning. It has one value for each pixel, which the channels share equally. The paper takes 4000 masks
    and more, for large images. It costs ``draws`` forward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: number of masks for each image.
        grid: number of cells along each side of the image.
        share: probability that a cell is open.
        output: which output is averaged; the paper takes the probability.

    Raises:
        XaiboardError: ``x`` is no image.
    """
    if x.dim() != 4:
        raise XaiboardError(f"method 'rise' needs images (B, C, H, W), got {tuple(x.shape)}; leave it out")
    total = torch.zeros_like(x[:, :1])
    for mask in _masks(x, rng, draws, grid, share):
        if output == "logit":
            value = logit(model, x * mask, target)
        else:
            with torch.no_grad():
                value = model(x * mask).softmax(1).gather(1, target[:, None])[:, 0]
        total += mask.mul_(value[:, None, None, None])
    return (total / (draws * share)).expand_as(x) / x.shape[1]


def _masks(x: Tensor, rng: SampleRng, draws: int, grid: int, share: float) -> Iterator[Tensor]:
    """So many masks for each image, ``(B, 1, H, W)``, in ``[0, 1]``."""
    lengths = [ceil(size / grid) for size in x.shape[2:]]
    size = [(grid + 1) * length for length in lengths]
    exact = all(length.bit_count() == 1 for length in lengths)
    rows = torch.arange(len(x), device=x.device)
    for start in range(0, draws, TOGETHER):
        numbers = _numbers(x, rng, min(TOGETHER, draws - start), grid + 1, lengths)
        for values, down, across in zip(*(each.unbind(1) for each in numbers), strict=True):
            cells = (values < share).to(x)[:, None]
            if exact:
                # The weights are binary fractions then, so that the order of adding does not matter: images as channels
                # are enlarged together, ten times faster, and to the same bits. Elsewhere the last bit may differ.
                cells = cells.transpose(0, 1).contiguous(memory_format=torch.channels_last)
            enlarged = interpolate(cells, size=size, mode="bilinear", align_corners=False).view(len(x), *size)
            # every crop of the size of the image, without a copy; one of each image is taken
            crops = enlarged.unfold(1, x.shape[2], 1).unfold(2, x.shape[3], 1)
            yield crops[rows, down, across][:, None]


def _numbers(
    x: Tensor, rng: SampleRng, count: int, side: int, lengths: list[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Uniform numbers for cells, ``(B, count, side, side)``, and shifts down and across, ``(B, count)`` each."""
    values = np.empty((len(x), count, side * side))
    down, across = (np.tile(np.arange(length), (len(x), count, 1)) for length in lengths)
    for stream, *of_image in zip(rng.streams, values, down, across, strict=True):
        for cells, rows, columns in zip(*of_image, strict=True):
            stream.random(out=cells)
            stream.shuffle(rows)
            stream.shuffle(columns)
    shifts = torch.from_numpy(np.stack([down[..., 0], across[..., 0]])).to(x.device)
    return torch.from_numpy(values).to(x).view(len(x), count, side, side), shifts[0], shifts[1]
