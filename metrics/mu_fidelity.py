"""Mu-fidelity: whether the attribution of random subsets of cells predicts the logit that is lost without them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.pixels import pixel_values
from ..benchmark.toolkit.ranges import AsksFor, Count, ProperShare
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import BLUR, Blur, baseline_image
from .shared.correlation import pearson
from .shared.rank_correlation import spearman
from .shared.subsets import draw_keys, drawn_by, drops, over_channels


@dataclass(frozen=True)
class CellSubsets:
    """Random subsets of the cells of a grid, whose pixels are replaced.

    Args:
        baseline: what replaces the pixels of a subset: ``zero`` (black), the training set's ``mean`` image, a ``blur``
            of the input, or ``uniform`` noise in ``[0, 1]``, drawn anew each time.
        grid: number of cells down and across, at most one for each pixel; their sides differ by at most one pixel. A
            vector is cut into ``grid * grid`` runs.
        share: share of the cells in a subset.
        draws: number of subsets of each sample; each costs a forward pass.
        blur: standard deviation of the ``blur``, in pixels.
    """

    baseline: Annotated[
        Literal["zero", "mean", "blur", "uniform"], AsksFor("reference", "mean"), AsksFor("images", "blur")
    ] = "zero"
    grid: Count = 9
    share: ProperShare = 0.2
    draws: Annotated[int, Ge(2)] = 200
    blur: Blur = BLUR


def cell_drops(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    subsets: CellSubsets = CellSubsets(),
) -> Tensor:
    """Per sample: the seed of its subsets of cells, then the logit lost without each of them, ``(B, 1 + draws)``."""
    keys, (cell, count), baseline = draw_keys(x, rng), cells(x, subsets.grid), subsets.baseline
    blank = None if baseline == "uniform" else baseline_image(x, reference, baseline, subsets.blur)

    def without() -> Iterator[Tensor]:
        for subset in _subsets(keys, count, subsets):
            gone = x.new_zeros(len(x), count, dtype=torch.bool).scatter(1, subset, value=True)[:, cell]
            yield torch.where(over_channels(gone, x), rng.uniform(x) if blank is None else blank, x)

    return torch.cat([keys, drops(model, x, target, without())], dim=1)


@metric(
    family="faithfulness",
    higher_is_better=True,
    across_models=True,
    range=(-1, 1),
    source="Bhatt et al. 2020, arXiv:2005.00631, def. 3; Spearman as in Xplique (Fel et al. 2022, arXiv:2206.04394)",
    columns={"pearson": Column(higher_is_better=True, across_models=True, range=(-1, 1))},
    shared=[cell_drops],
)
def mu_fidelity(
    attribution: Tensor, cell_drops: Tensor, *, subsets: CellSubsets = CellSubsets()
) -> dict[str, Tensor]:
    """Spearman's correlation of random subsets' attribution with the logit lost without them, ``(B,)``.

    In ``[-1, 1]``; higher is better; unchanged when all logits are scaled. A subset consists of cells of a grid. All
    subsets have the same number of cells, as in the paper; in Xplique each cell is drawn independently, and all images
    of a batch share their subsets.

    Args:
        attribution: one signed value for each element, ``(B, C, H, W)`` or ``(B, F)``.
        cell_drops: seed of each sample's subsets, then the logit lost without each of them, ``(B, 1 + draws)``; all
            methods share them.
        subsets: the random subsets.

    Returns:
        The rank correlation. ``pearson``: Pearson's correlation of the same values. Both are 0 if all subsets have the
        same attribution, or the same effect: for a zero map, and for a constant one if all cells have the same size.

    Raises:
        XaiboardError: the baseline is not available.
    """
    keys, lost = cell_drops[:, :1], cell_drops[:, 1:]
    cell, count = cells(attribution, subsets.grid)
    values = pixel_values(attribution)
    of_cell = values.new_zeros(len(values), count).index_add(1, cell, values)
    sums = [of_cell.gather(1, subset).sum(1) for subset in _subsets(keys, count, subsets)]
    held = torch.stack(sums, dim=1)
    return {"": spearman(held, lost), "pearson": pearson(held, lost)}


def cells(x: Tensor, grid: int) -> tuple[Tensor, int]:
    """Cell of each pixel, ``(P,)``, and the number of cells."""
    height, width = x.shape[2:] if x.dim() > 2 else (1, x.shape[1])
    down, across = (min(grid, height), min(grid, width)) if x.dim() > 2 else (1, min(grid * grid, width))
    row = torch.arange(height, device=x.device) * down // height
    column = torch.arange(width, device=x.device) * across // width
    return (row[:, None] * across + column).flatten(), down * across


def _subsets(keys: Tensor, count: int, subsets: CellSubsets) -> Iterator[Tensor]:
    """The cells of each subset, at least one of the ``count`` cells, ``(B, k)``."""
    rng = drawn_by(keys)
    for _ in range(subsets.draws):
        yield rng.permutation(keys, count)[:, : max(1, round(subsets.share * count))]
