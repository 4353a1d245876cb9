"""Pointing game: whether the most important pixel lies in the object."""

from torch import Tensor, arange
from torch.nn.functional import conv2d

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.checks import at_least
from .shared.masks import COLUMNS, Ranking, Relevance, beside_chance, inside, ranked


@metric(
    family="localisation",
    higher_is_better=True,
    across_models=True,
    source="Zhang et al. 2016, arXiv:1608.00507",
    columns=COLUMNS,
)
def pointing_game(
    attribution: Tensor, mask: Tensor | None, *, tolerance: float = 0.0, relevance: Relevance = "signed"
) -> dict[str, Tensor]:
    """Chance that the largest pixel of the map lies in the mask, ``(B,)``: 0 or 1, in between where pixels tie for it.

    Of pixels that tie, up to floating-point noise, each is the largest equally often, so a constant or an all-zero
    map scores the share of the mask. An empty mask is never hit. Quantus counts a hit if any of the tied pixels is
    in the mask.

    Args:
        attribution: ``(B, C, H, W)``.
        mask: where the object is, bool ``(B, 1, H, W)``.
        tolerance: how far from the mask a hit may be, in pixels (Euclidean); the paper takes 15 for photographs.
        relevance: the largest of the channels' ``signed`` sums, or of the sums of their ``absolute`` values.

    Returns:
        The hits; ``chance``, the share of pixels that would be hits; ``above_chance``, 0 at chance and 1 at best.

    Raises:
        XaiboardError: no mask, one of another shape, or a negative ``tolerance``.
    """
    at_least(0, "pointing_game", tolerance=tolerance)
    accepted = inside(mask, attribution, "pointing_game")
    if tolerance >= 1:
        accepted = _grown(accepted.view_as(attribution[:, :1]), tolerance).flatten(1)
    return beside_chance(Ranking(ranked(attribution, relevance)).share(accepted, 1), accepted)


def _grown(mask: Tensor, radius: float) -> Tensor:
    """1 at most ``radius`` away from a pixel of ``mask``, ``(B, 1, H, W)``."""
    reach = min(int(radius), max(mask.shape[2:]) - 1)
    squares = arange(-reach, reach + 1).to(mask) ** 2
    disc = (squares[:, None] + squares <= radius**2).to(mask)
    return (conv2d(mask, disc[None, None], padding=reach) > 0.5).to(mask)
