"""Efficient model parameter randomisation: whether the map gets more complex when the network knows nothing."""

from collections.abc import Callable
from math import log

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.pixels import pixel_values, quantise
from ..benchmark.toolkit.rng import SampleRng
from .shared.randomised import fully_randomised

FLOOR = 0.01
"""The entropy of a map counts as at least this share of the largest that the bins allow."""


@metric(
    family="sanity",
    higher_is_better=True,
    source="Hedström et al. 2023, arXiv:2401.06465",
    columns={"entropy": Column(), "random_entropy": Column()},
)
def emprt(
    model: nn.Module,
    explain: Callable[..., Tensor],
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    bins: int = 100,
    draws: int = 1,
) -> dict[str, Tensor | Weighted]:
    """Relative rise of the map's entropy when all layers of the network are drawn anew, ``(B,)``; higher is better.

    The entropy, in nats, is that of the histogram of the channels' sums, ``bins`` of equal width from the smallest
    to the largest: 0 for a constant map, at most ``log(bins)``, and below the fraction at least a hundredth of that,
    so the score lies in ``[-1, 99]``. The mean over samples is weighted by what is below the fraction: nearly
    constant maps would decide an unweighted mean, which is the paper's. 0 for a map that does not depend on the
    network. All samples see the same random networks (:func:`~xaiboard.metrics.randomised.fully_randomised`), and
    intervals over samples do not tell how those were drawn. How complex their maps are depends on the architecture,
    so models do not compare.

    Args:
        model: its layers are drawn anew in a copy.
        explain: the attribution by the same method and target, for any network.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: its seed is that of the networks.
        bins: of the histogram.
        draws: random networks, over which the second entropy is averaged.

    Returns:
        The rise; ``entropy``, that of the map; ``random_entropy``, that of the maps of random networks.

    Raises:
        XaiboardError: ``bins`` is smaller than 2 or ``draws`` than 1; a network without parameters, or with weights
            that are computed from others.
    """
    at_least(2, "emprt", bins=bins)
    at_least(1, "emprt", draws=draws)
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
    """Entropy of the histogram of each row of ``values (B, P)`` between its extremes, in nats, ``(B,)``."""
    levels = quantise(values)  # so that no value at an edge changes its bin by floating-point noise
    low, high = levels.amin(1, keepdim=True), levels.amax(1, keepdim=True)
    index = ((levels - low) * bins // (high - low).clamp_min(1)).clamp_max(bins - 1)
    counts = torch.zeros(len(values), bins, dtype=values.dtype, device=values.device)
    counts.scatter_add_(1, index, torch.ones_like(values))
    return torch.special.entr(counts / values.shape[1]).sum(1)
