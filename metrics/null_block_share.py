"""Null-block share: how many of a map's top pixels lie in the part of the image that holds no information."""

from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from .shared.masks import Ranking, inside, ranked

POINTS = 41
"""Number of points of the curve, from the top pixel to all pixels, 2.5 % apart."""


@metric(
    family="localisation",
    higher_is_better=False,
    across_models=True,
    range=(0, 1),
    source="Shah et al. 2021, arXiv:2102.12781; with k = 2.5 to 30: Serrurier et al. 2023, arXiv:2206.06854",
    columns={"chance": Column(range=(0, 1))},
)
def null_block_share(
    attribution: Tensor,
    mask: Tensor | None,
    *,
    k: Annotated[float, Interval(gt=0, le=100), "percent of the pixels"] = 10.0,
) -> dict[str, Tensor]:
    """Share of the ``k`` percent of pixels of largest magnitude that lie outside the mask, ``(B,)``, in ``[0, 1]``.

    Lower is better. On block digits the mask is the block with the digit; the other block, the null block, is the same
    in every image. The magnitude of a pixel is the sum of its channels' magnitudes. If pixels tie, up to floating-point
    noise, the score is the expected share: a constant map scores the share of the pixels outside.

    Args:
        attribution: ``(B, C, H, W)``.
        mask: where the signal is, bool ``(B, 1, H, W)``. The score is 1 for an empty mask and 0 for a full one.
        k: size of the set, in percent of the pixels; rounded to whole pixels, but at least one.

    Returns:
        The share. ``chance``: the share for a constant map. ``curve``: the share for each ``k`` from a single pixel to
        all pixels, ``(B, 41)``.

    Raises:
        XaiboardError: there is no mask, or one of another shape.
    """
    outside = 1 - inside(mask, attribution, "null_block_share")
    ranking, pixels = Ranking(ranked(attribution, "absolute")), outside.shape[1]

    def share(part: float) -> Tensor:
        return ranking.share(outside, max(1, round(part * pixels)))

    curve = torch.stack([share(point / (POINTS - 1)) for point in range(POINTS)], 1)
    return {"": share(k / 100), "chance": outside.mean(1), "curve": curve}
