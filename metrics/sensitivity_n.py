"""Sensitivity-n: whether the attribution of n random pixels predicts the logit that is lost without them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.pixels import channels, pixel_values
from ..benchmark.toolkit.ranges import Count, ProperShare
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import BLUR, Baseline, Blur, baseline_image
from .shared.correlation import pearson
from .shared.erasing import replace_in_order
from .shared.subsets import draw_keys, drawn_by, logit_of


@dataclass(frozen=True)
class NestedSubsets:
    """Random subsets of pixels of several sizes; the subsets of one draw contain each other.

    Args:
        baseline: what a removed pixel becomes: ``zero`` (black), the training set's ``mean`` image, or a ``blur`` of
            ``x``.
        sizes: number of subset sizes n, from 1 up, equally spaced on a logarithmic scale and rounded; equal sizes count
            once.
        largest: size of the largest subset, as a share of the pixels.
        draws: number of subsets of each size; each costs a forward pass.
        blur: standard deviation of the ``blur``, in pixels.
    """

    baseline: Baseline = "zero"
    sizes: Count = 8
    largest: ProperShare = 0.8
    draws: Annotated[int, Ge(2)] = 100
    blur: Blur = BLUR


def nested_drops(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    subsets: NestedSubsets = NestedSubsets(),
) -> Tensor:
    """Per sample: the seed of its orders of pixels, then the logit lost without the first n pixels of each order.

    Returns:
        ``(B, 1 + draws, S)``; the seed is repeated for each of the S values of n.
    """
    keys, erased = draw_keys(x, rng), baseline_image(x, reference, subsets.baseline, subsets.blur)
    pixels = channels(x).shape[2]
    points = subset_sizes(pixels, subsets)
    before = logit_of(model, x, target)
    lost = [keys.expand(-1, len(points))]
    with torch.no_grad():
        for order in _orders(keys, pixels, subsets.draws):
            after = torch.stack(replace_in_order(model, x, erased, order, points), dim=1)
            lost.append(before - after.gather(2, target[:, None, None].expand(-1, len(points), 1))[..., 0])
    return torch.stack(lost, dim=1)


@metric(
    family="faithfulness",
    higher_is_better=True,
    across_models=True,
    range=(-1, 1),
    source="Ancona et al. 2018, arXiv:1711.06104",
    shared=[nested_drops],
)
def sensitivity_n(
    attribution: Tensor, nested_drops: Tensor, *, subsets: NestedSubsets = NestedSubsets()
) -> dict[str, Tensor]:
    """Correlation of the attribution of n random pixels with the target's logit lost without them, ``(B,)``.

    For each n, Pearson's correlation over the subsets of one image; then the mean over n. In ``[-1, 1]``; higher is
    better; unchanged when all logits are scaled. Quantus does not draw subsets: it removes pixels in order of
    attribution, and correlates over the images.

    Args:
        attribution: one signed value for each element, ``(B, C, H, W)`` or ``(B, F)``.
        nested_drops: seed of each sample's subsets, then the logit lost without each of them, ``(B, 1 + draws, S)``;
            all methods share them.
        subsets: the random subsets of pixels.

    Returns:
        The mean. ``curve``: the correlation for each n, ``(B, S)``. A correlation is 0 if all subsets of a size have
        the same attribution (as for a zero or a constant map) or the same effect.

    Raises:
        XaiboardError: the baseline is not available.
    """
    keys, lost = nested_drops[:, 0, :1], nested_drops[:, 1:]
    values = pixel_values(attribution)
    pixels = values.shape[1]
    points = torch.tensor(subset_sizes(pixels, subsets), device=values.device) - 1
    sums = [values.gather(1, order).cumsum(1)[:, points] for order in _orders(keys, pixels, subsets.draws)]
    held = torch.stack(sums, dim=2)
    curve = pearson(held.flatten(0, 1), lost.mT.flatten(0, 1)).view(held.shape[:2])
    return {"": curve.mean(1), "curve": curve}


def subset_sizes(pixels: int, subsets: NestedSubsets) -> list[int]:
    """The values of n, in ascending order, from 1 to the largest one."""
    last, sizes = max(1.0, subsets.largest * pixels), subsets.sizes
    return sorted({round(last ** (i / max(1, sizes - 1))) for i in range(sizes)})


def _orders(keys: Tensor, pixels: int, draws: int) -> Iterator[Tensor]:
    rng = drawn_by(keys)
    for _ in range(draws):
        yield rng.permutation(keys, pixels)
