"""Mu-fidelity: whether the attribution of a random subset of cells tells what the logit loses without it."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.pixels import pixel_values
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import baseline_image
from .shared.correlation import pearson
from .shared.rank_correlation import spearman
from .shared.subsets import draw_keys, drawn_by, drops, over_channels, proper_share

Replacement = Literal["zero", "mean", "blur", "uniform"]


def cell_drops(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    baseline: Replacement = "zero",
    grid: int = 9,
    share: float = 0.2,
    draws: int = 200,
) -> Tensor:
    """The key of each sample's subsets of cells, and the loss of logit without each of them, ``(B, 1 + draws)``.

    The arguments are those of :func:`mu_fidelity`.
    """
    at_least(1, "mu_fidelity", grid=grid)
    at_least(2, "mu_fidelity", draws=draws)
    proper_share("mu_fidelity", share=share)
    keys, (cell, count) = draw_keys(x, rng), cells(x, grid)
    blank = None if baseline == "uniform" else baseline_image(x, reference, baseline)

    def without() -> Iterator[Tensor]:
        for subset in _subsets(keys, count, share, draws):
            gone = x.new_zeros(len(x), count, dtype=torch.bool).scatter(1, subset, value=True)[:, cell]
            yield torch.where(over_channels(gone, x), rng.uniform(x) if blank is None else blank, x)

    return torch.cat([keys, drops(model, x, target, without())], dim=1)


@metric(
    family="faithfulness",
    higher_is_better=True,
    across_models=True,
    source="Bhatt et al. 2020, arXiv:2005.00631, def. 3; Spearman as in Xplique (Fel et al. 2022, arXiv:2206.04394)",
    columns={"pearson": Column(higher_is_better=True, across_models=True)},
    shared=[cell_drops],
)
def mu_fidelity(
    attribution: Tensor,
    cell_drops: Tensor,
    *,
    baseline: Replacement = "zero",
    grid: int = 9,
    share: float = 0.2,
    draws: int = 200,
) -> dict[str, Tensor]:
    """Spearman between the attribution of random subsets of cells and the target's logit lost without them, ``(B,)``.

    In ``[-1, 1]``, higher is better, and unchanged when all logits are scaled. Every subset has the same number of
    cells, as in the paper; in Xplique each cell is drawn by itself, and one set of subsets serves a whole batch.

    Args:
        attribution: one signed value for each element, ``(B, C, H, W)`` or ``(B, F)``.
        cell_drops: key of the subsets, and loss of logit without each, ``(B, 1 + draws)``; one for all methods.
        baseline: what replaces the pixels of a subset: ``zero``, the training set's ``mean`` image, a ``blur`` of
            the input, or noise that is ``uniform`` in ``[0, 1]`` and new in every draw.
        grid: cells down and across (at most one for each pixel), whose sides differ by a pixel at most. A vector
            is cut into ``grid * grid`` runs.
        share: of the cells, in a subset.
        draws: subsets of each sample.

    Returns:
        The rank correlation; ``pearson``, the correlation of the values. Where all subsets have the same attribution,
        or no effect, both are 0: for a zero map, and for a constant one if the cells are equally large.

    Raises:
        XaiboardError: a setting out of range, or a baseline that is not available.
    """
    keys, lost = cell_drops[:, :1], cell_drops[:, 1:]
    cell, count = cells(attribution, grid)
    values = pixel_values(attribution)
    of_cell = values.new_zeros(len(values), count).index_add(1, cell, values)
    sums = [of_cell.gather(1, subset).sum(1) for subset in _subsets(keys, count, share, draws)]
    held = torch.stack(sums, dim=1)
    return {"": spearman(held, lost), "pearson": pearson(held, lost)}


def cells(x: Tensor, grid: int) -> tuple[Tensor, int]:
    """Cell of each pixel, ``(P,)``, and the number of cells."""
    height, width = x.shape[2:] if x.dim() > 2 else (1, x.shape[1])
    down, across = (min(grid, height), min(grid, width)) if x.dim() > 2 else (1, min(grid * grid, width))
    row = torch.arange(height, device=x.device) * down // height
    column = torch.arange(width, device=x.device) * across // width
    return (row[:, None] * across + column).flatten(), down * across


def _subsets(keys: Tensor, count: int, share: float, draws: int) -> Iterator[Tensor]:
    """Cells of each draw, ``(B, k)``: at least one."""
    rng = drawn_by(keys)
    for _ in range(draws):
        yield rng.permutation(keys, count)[:, : max(1, round(share * count))]
