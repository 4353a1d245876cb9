"""Null-block share: how much of a map's top points where nothing can be learnt."""

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.errors import SettingError
from .shared.masks import Ranking, inside, ranked

POINTS = 41
"""Of the curve: from the top pixel to all of them, 2.5 % apart."""


@metric(
    family="localisation",
    higher_is_better=False,
    across_models=True,
    source="Shah et al. 2021, arXiv:2102.12781; with k = 2.5 to 30: Serrurier et al. 2023, arXiv:2206.06854",
    columns={"chance": Column()},
)
def null_block_share(attribution: Tensor, mask: Tensor | None, *, k: float = 10.0) -> dict[str, Tensor]:
    """Share of the ``k`` percent of pixels of largest magnitude that lie outside of the mask, ``(B,)``, in ``[0, 1]``.

    On block digits the mask is the digit's block, and outside of it is the null block, the same in every image. A
    pixel's magnitude is the sum of its channels' magnitudes. The expected share where pixels tie, up to
    floating-point noise: a constant map scores the share of the pixels outside.

    Args:
        attribution: ``(B, C, H, W)``.
        mask: where the signal is, bool ``(B, 1, H, W)``; the score is 1 for an empty and 0 for a full one.
        k: percent of the pixels, rounded to whole ones, and 1 at least.

    Returns:
        The share, lower is better; ``chance``, that of a constant map; ``curve``, the share for every ``k`` from a
        single pixel to all of them, ``(B, 41)``.

    Raises:
        XaiboardError: ``k`` is not above 0 and at most 100; no mask, or one of another shape.
    """
    if not 0 < k <= 100:
        raise SettingError(
            f"setting 'k' of 'null_block_share' must be above 0 and at most 100, percent of the pixels; got '{k:g}'"
        )
    outside = 1 - inside(mask, attribution, "null_block_share")
    ranking, pixels = Ranking(ranked(attribution, "absolute")), outside.shape[1]

    def share(part: float) -> Tensor:
        return ranking.share(outside, max(1, round(part * pixels)))

    curve = torch.stack([share(point / (POINTS - 1)) for point in range(POINTS)], 1)
    return {"": share(k / 100), "chance": outside.mean(1), "curve": curve}
