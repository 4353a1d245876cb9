"""Efficient model parameter randomisation: whether the map gets more complex when the network is randomised."""

from collections.abc import Callable
from math import inf, log
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.pixels import pixel_values, quantise
from ..benchmark.toolkit.ranges import Count
from ..benchmark.toolkit.rng import SampleRng
from .shared.randomised import fully_randomised

FLOOR = 0.01
"""In the denominator, the entropy of a map counts as at least this share of the largest possible one."""


@metric(
    family="sanity",
    higher_is_better=True,
    range=(-1, 1 / FLOOR),
    source="Hedström et al. 2023, arXiv:2401.06465",
    columns={"entropy": Column(range=(0, inf)), "random_entropy": Column(range=(0, inf))},
)
def emprt(
    model: nn.Module,
    explain: Callable[..., Tensor],
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    bins: Annotated[int, Ge(2)] = 100,
    draws: Count = 1,
) -> dict[str, Tensor | Weighted]:
    """Relative rise of the map's entropy when all layers of the network are randomised, ``(B,)``; higher is better.

    The score is ``(entropy of the random network's map - entropy) / entropy``; 0 for a map that does not depend on the
    network. The entropy, in nats, is that of a histogram of the pixels' values (signed sums over channels), with
    ``bins`` of equal width from the smallest to the largest: 0 for a constant map, at most ``log(bins)``. In the
    denominator it counts as at least a hundredth of ``log(bins)``, so the score lies in ``[-1, 100]``. The mean over
    samples is weighted by the denominator; the paper's unweighted mean would be decided by maps that are nearly
    constant.

    All samples see the same random networks (:func:`~xaiboard.metrics.shared.randomised.fully_randomised`), and
    intervals over samples do not show how much another draw of them would change. How complex the maps of random
    networks are depends on the architecture, so models do not compare.

    Args:
        model: the network; its layers are randomised in a copy.
        explain: the attribution by the same method and target, for any network.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: its seed is the seed of the random networks.
        bins: number of bins of the histogram.
        draws: number of random networks, whose entropies are averaged.

    Returns:
        The rise. ``entropy``: the entropy of the map. ``random_entropy``: the mean entropy of the maps of random
        networks.

    Raises:
        XaiboardError: the network has no parameters, or weights that are computed from others.
    """
    entropy = histogram_entropy(pixel_values(attribution), bins)
    random = torch.zeros_like(entropy)
    for draw in range(draws):
        other = fully_randomised(model, rng.seed, draw)
        random += histogram_entropy(pixel_values(explain(x, model=other)), bins) / draws
    scale = entropy.clamp_min(FLOOR * log(bins))
    return {
        "": Weighted((random - entropy) / scale, scale),
        "entropy": entropy,
        "random_entropy": random,
    }


def histogram_entropy(values: Tensor, bins: int) -> Tensor:
    """Entropy, in nats, of the histogram of each row of ``values (B, P)``, ``(B,)``; bins span the row's values."""
    levels = quantise(values)  # so that no value at an edge changes its bin by floating-point noise
    low, high = levels.amin(1, keepdim=True), levels.amax(1, keepdim=True)
    index = ((levels - low) * bins // (high - low).clamp_min(1)).clamp_max(bins - 1)
    counts = torch.zeros(len(values), bins, dtype=values.dtype, device=values.device)
    counts.scatter_add_(1, index, torch.ones_like(values))
    return torch.special.entr(counts / values.shape[1]).sum(1)
