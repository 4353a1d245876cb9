"""Curves of a model's output while pixels are erased, and the scores that are read from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor, nn

from ...benchmark.components.kinds import Weighted
from ...benchmark.toolkit.data import Reference
from ...benchmark.toolkit.ranges import Count
from ...benchmark.toolkit.rng import SampleRng
from .baselines import BLUR, Blur
from .cells import Cell, cells_of, descending_cells, pixels_of
from .erasing import Blank, Removal, blank, logits_along

SMALLEST_WEIGHT = 1e-6
"""A smaller drop of the margin counts as this one, so that a normalised score is finite."""

TIE = 1e-5
"""Areas that differ by less than this share of the largest margin are equal: float32 is not more accurate."""

PROBABILITY, KEPT, MARGIN = range(3)
"""What a curve holds at each point: the target's softmax probability; 1 if the target is predicted, else 0; and the
margin, the target's logit minus the largest other one, whose order and ratios do not depend on a temperature."""


@dataclass(frozen=True)
class RemovalCurve:
    """How pixels are erased one after another, and how many random orders the order of a map is compared with.

    Args:
        baseline: what an erased pixel becomes: ``zero`` (black), the training set's ``mean`` image, a ``blur`` of the
            input, or ``imputed``. The last is the weighted mean of its eight neighbours, erased ones too, plus noise
            (ROAD, Rong et al. 2022, arXiv:2202.00449); if no pixel is left, the training set's mean colour.
        steps: number of equal steps from the intact to the erased input. There are at least 2, since a curve of two end
            points is the same for every order.
        orders: number of random orders of each sample, for ``win_rate``.
        blur: standard deviation of the ``blur``, in pixels.
        cell: side of the squares that are erased as a whole, in pixels, such as 16 for a transformer whose tokens are
            patches of 16; it must divide the sides of the images. 1 for single pixels.
    """

    baseline: Removal = "zero"
    steps: Annotated[int, Ge(2)] = 28
    orders: Count = 10
    blur: Blur = BLUR
    cell: Cell = 1


def random_order_curves(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    removal: RemovalCurve = RemovalCurve(),
) -> Tensor:
    """The target's probability, prediction and margin while pixels are erased in random orders.

    The first and the last point of every curve are the intact and the erased input. Read backwards, a deletion curve is
    the insertion curve of the reversed order, so deletion and insertion share these curves.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        reference: statistics of the training set.
        removal: how pixels are erased. The random numbers of ``imputed`` are drawn before those of the orders.

    Returns:
        ``(B, orders, steps + 1, 3)``: ``PROBABILITY``, ``KEPT`` and ``MARGIN``.

    Raises:
        XaiboardError: the baseline is not available.
    """
    gone, cells = blank(x, reference, removal.baseline, rng, removal.blur), cells_of(x, removal.cell)
    with torch.no_grad():
        intact, erased = model(x), model(gone.erased)
        curves = []
        for _ in range(removal.orders):
            order = pixels_of(rng.permutation(x, len(cells)), cells)
            between = logits_along(model, x, gone, order, points_of(cells, removal.steps)[1:-1])
            curves.append(read([intact, *between, erased], target))
    return torch.stack(curves, dim=1)


def counts(pixels: int, steps: int) -> list[int]:
    """Number of erased pixels at each of the ``steps + 1`` points, from none to all."""
    return [round(step / steps * pixels) for step in range(steps + 1)]


def points_of(cells: Tensor, steps: int) -> list[int]:
    """The same, where ``cells``, the pixels of each, ``(cells, size)``, are erased as a whole."""
    return [count * cells.shape[1] for count in counts(len(cells), steps)]


def read(logits: Sequence[Tensor], target: Tensor) -> Tensor:
    """``PROBABILITY``, ``KEPT`` and ``MARGIN`` of the target, ``(B, S, 3)``, from logits ``(B, K)`` at S points."""
    stacked = torch.stack(list(logits), dim=1)
    chosen = target[:, None, None].expand(-1, len(logits), 1)
    probability = stacked.softmax(2).gather(2, chosen)
    kept = (stacked.argmax(2, keepdim=True) == chosen).to(probability)
    others = stacked.scatter(2, chosen, -torch.inf).amax(2, keepdim=True)
    return torch.cat([probability, kept, stacked.gather(2, chosen) - others], dim=2)


def curve_along(
    model: nn.Module,
    x: Tensor,
    gone: Blank,
    target: Tensor,
    order: Tensor,
    points: Sequence[int],
    random_order_curves: Tensor | None,
    *,
    insert: bool = False,
) -> Tensor:
    """Probability, prediction and margin of the target at each of ``points`` along ``order``, ``(B, S, 3)``.

    The first and the last point are the same for every order. Where there are random orders they are copied from these,
    so that only the points in between are evaluated.
    """
    with torch.no_grad():
        between = logits_along(model, x, gone, order, points[1:-1], insert=insert)
        if random_order_curves is None:
            first, last = (gone.erased, x) if insert else (x, gone.erased)
            return read([model(first), *between, model(last)], target)
    ends = random_order_curves[:, 0]
    return torch.cat([ends[:, :1], read(between, target), ends[:, -1:]], dim=1)


def share_won(lead: Tensor, random_order_curves: Tensor) -> Tensor:
    """Share of positive leads, differences ``(B, N)`` of areas under margins, ``(B,)``; ties count half."""
    tie = TIE * random_order_curves[..., MARGIN].flatten(1).abs().amax(1, keepdim=True)
    return torch.where(lead.abs() <= tie, 0.5, (lead > 0).to(lead)).mean(1)


def removal_scores(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    random_order_curves: Tensor | None,
    *,
    removal: RemovalCurve,
    insert: bool = False,
) -> dict[str, Tensor | Weighted]:
    """The scores that ``deletion`` or, with ``insert``, ``insertion`` read from the curve of an attribution.

    Without random orders there is no ``win_rate``.
    """
    cells = cells_of(x, removal.cell)
    order = descending_cells(attribution, cells, rng)
    pixels, points = order.shape[1], points_of(cells, removal.steps)
    gone = blank(x, reference, removal.baseline, rng, removal.blur)
    if insert:
        points = [pixels - point for point in reversed(points)]
        random_order_curves = None if random_order_curves is None else random_order_curves.flip(2)
    along = curve_along(model, x, gone, target, order, points, random_order_curves, insert=insert)
    curve, kept, margin = along.unbind(2)
    fractions = torch.tensor(points).to(curve) / pixels
    area = torch.trapezoid(margin, fractions, dim=1)
    intact, erased = (margin[:, -1], margin[:, 0]) if insert else (margin[:, 0], margin[:, -1])
    won = {}
    if random_order_curves is not None:
        rivals = torch.trapezoid(random_order_curves[..., MARGIN], fractions, dim=2)
        lead = area[:, None] - rivals if insert else rivals - area[:, None]
        won = {"win_rate": share_won(lead, random_order_curves)}
    return {
        "": torch.trapezoid(curve, fractions, dim=1),
        "retention": kept.mean(1),
        **won,
        "normalised": _normalised(area, intact, erased),
        "curve": curve,
    }


def _normalised(area: Tensor, intact: Tensor, gone: Tensor) -> Weighted:
    """Area under the margin, on a scale from 0 for the erased to 1 for the intact input; the scale is its weight.

    The weighted mean is the area under the mean curve of the data set, min-max normalised. For a single sample the
    scale may be tiny, and of either sign, so an unweighted mean would explode.
    """
    scale = intact - gone
    scale = torch.where(
        scale.abs() < SMALLEST_WEIGHT, torch.copysign(torch.full_like(scale, SMALLEST_WEIGHT), scale), scale
    )
    return Weighted((area - gone) / scale, scale)
