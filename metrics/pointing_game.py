"""Pointing game: whether the most important pixel lies in the object."""

from torch import Tensor, arange
from torch.nn.functional import conv2d

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.ranges import NotNegative
from .shared.masks import Ranking, Relevance, beside_chance, inside, mask_columns, ranked


@metric(
    family="localisation",
    higher_is_better=True,
    across_models=True,
    range=(0, 1),
    source="Zhang et al. 2016, arXiv:1608.00507",
    columns=mask_columns(),
)
def pointing_game(
    attribution: Tensor, mask: Tensor | None, *, tolerance: NotNegative = 0.0, relevance: Relevance = "signed"
) -> dict[str, Tensor]:
    """Probability that the largest pixel of the map lies in the mask, ``(B,)``: 0, 1, or between if pixels tie.

    Of pixels that tie for the largest value, up to floating-point noise, each is equally likely to be picked. A
    constant or an all-zero map thus scores the share of the mask. An empty mask is never hit. Quantus counts a hit if
    any of the tied pixels is in the mask.

    Args:
        attribution: ``(B, C, H, W)``.
        mask: where the object is, bool ``(B, 1, H, W)``.
        tolerance: largest Euclidean distance from the mask that still counts as a hit, in pixels; the paper takes 15
            for photographs.
        relevance: what ranks the pixels: the ``signed`` sum over channels, or the sum of their ``absolute`` values.

    Returns:
        The probability of a hit. ``chance``: share of the pixels that would be a hit. ``above_chance``: the probability
        on a scale from 0 at chance to 1 for a sure hit.

    Raises:
        XaiboardError: there is no mask, or one of another shape.
    """
    accepted = inside(mask, attribution, "pointing_game")
    if tolerance >= 1:
        accepted = _grown(accepted.view_as(attribution[:, :1]), tolerance).flatten(1)
    return beside_chance(Ranking(ranked(attribution, relevance)).share(accepted, 1), accepted)


def _grown(mask: Tensor, radius: float) -> Tensor:
    """1 at pixels at most ``radius`` away from a pixel of ``mask``, else 0, ``(B, 1, H, W)``."""
    reach = min(int(radius), max(mask.shape[2:]) - 1)
    squares = arange(-reach, reach + 1).to(mask) ** 2
    disc = (squares[:, None] + squares <= radius**2).to(mask)
    return (conv2d(mask, disc[None, None], padding=reach) > 0.5).to(mask)
