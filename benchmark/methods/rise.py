"""RISE: random masks, weighted by how sure the model is of what they leave."""

from math import ceil
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..components.decorators import method
from ..errors import SettingError, XaiboardError
from ..toolkit.checks import at_least
from ..toolkit.rng import SampleRng
from .shared.patches import logit


@method(source="Petsiuk et al. 2018, arXiv:1806.07421, eq. 6 and sec. 3.2")
def rise(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: int = 256,
    grid: int = 7,
    share: float = 0.5,
    output: Literal["probability", "logit"] = "probability",
) -> Tensor:
    """Mean of random masks times the model's output for the masked image, over ``share``, ``(B, C, H, W)``.

    A mask is a grid of cells, each open with probability ``share``, enlarged bilinearly by one cell more than the
    image and shifted at random; it multiplies the image. The value of a pixel estimates the mean output given
    that it is seen, so that the map has a large constant part, and all of it matters by comparison only. It
    belongs to pixels: each channel gets an equal share of it. The paper takes 4000 masks and more on large
    images. Costs ``draws`` forward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: masks for each image.
        grid: cells along each side of the image.
        share: probability that a cell is open.
        output: what is averaged; the paper's is the probability.

    Raises:
        XaiboardError: ``draws`` or ``grid`` is smaller than 1, ``share`` is no probability above 0, or ``x`` is no
            image.
    """
    at_least(1, "rise", draws=draws, grid=grid)
    if not 0 < share <= 1:
        raise SettingError(f"setting 'share' of 'rise' must be above 0 and at most 1; got '{share:g}'")
    if x.dim() != 4:
        raise XaiboardError(f"method 'rise' needs images (B, C, H, W), got {tuple(x.shape)}; leave it out")
    total = torch.zeros_like(x[:, :1])
    for _ in range(draws):
        mask = _masks(x, rng, grid, share)
        if output == "logit":
            value = logit(model, x * mask, target)
        else:
            with torch.no_grad():
                value = model(x * mask).softmax(1).gather(1, target[:, None])[:, 0]
        total += value[:, None, None, None] * mask
    return (total / (draws * share)).expand_as(x) / x.shape[1]


def _masks(x: Tensor, rng: SampleRng, grid: int, share: float) -> Tensor:
    """A mask for each image, ``(B, 1, H, W)``, in ``[0, 1]``."""
    cells = (rng.uniform(x.new_zeros(len(x), 1, grid + 1, grid + 1)) < share).to(x)
    height, width = (ceil(size / grid) for size in x.shape[2:])
    size = ((grid + 1) * height, (grid + 1) * width)
    enlarged = interpolate(cells, size=size, mode="bilinear", align_corners=False)
    down, across = (
        rng.permutation(x, cell)[:, :1] + torch.arange(side, device=x.device)
        for cell, side in ((height, x.shape[2]), (width, x.shape[3]))
    )
    sample = torch.arange(len(x), device=x.device)[:, None, None]
    return enlarged[sample, 0, down[:, :, None], across[:, None, :]][:, None]
