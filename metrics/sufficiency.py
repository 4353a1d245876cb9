"""Sufficiency and comprehensiveness: what is left of a prediction with the top pixels alone, and without them."""

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.errors import SettingError
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.pixels import descending_order, pixel_values
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import Baseline, baseline_image
from .shared.erasing import replace_in_order
from .shared.removal import read

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Shares of the input in the rationale, over which the paper averages."""

SOURCE = "DeYoung et al. 2020, arXiv:1911.03429, section 4.2"


@metric(
    family="faithfulness",
    higher_is_better=False,
    source=SOURCE,
    columns={"retention": Column(higher_is_better=True, across_models=True)},
)
def sufficiency(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    baseline: Baseline = "zero",
    share: float | None = None,
) -> dict[str, Tensor]:
    """Loss of the target's probability when only the pixels of largest attribution stay, ``(B,)``; lower is better.

    In ``[-1, 1]``; a mean over the paper's five shares of pixels. The attribution is summed over channels; ties are
    broken at random. Another thing by the same name (Dasgupta et al. 2022, arXiv:2202.00734), in Quantus, asks
    whether images with like maps have like predictions.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; ``baseline=mean`` needs them.
        baseline: what the other pixels become: ``zero``, the training set's ``mean`` image, or a ``blur`` of x.
        share: of the pixels that stay, at least one pixel; by default 1, 5, 10, 20 and 50 %.

    Returns:
        The loss, comparable within one model only; ``retention``, the share of these inputs at which the target is
        predicted: unchanged when all logits are scaled, higher is better.

    Raises:
        XaiboardError: ``share`` is not in ``(0, 1]``, or a baseline that is not available.
    """
    order = descending_order(pixel_values(attribution), rng)
    return _without(model, x, baseline_image(x, reference, baseline), target, order, share, keep=True)


@metric(
    family="faithfulness",
    higher_is_better=True,
    source=SOURCE,
    columns={"retention": Column(higher_is_better=False, across_models=True)},
)
def comprehensiveness(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    baseline: Baseline = "zero",
    share: float | None = None,
) -> dict[str, Tensor]:
    """Loss of the target's probability when the pixels of largest attribution are erased, ``(B,)``; higher is better.

    Arguments and errors are those of :func:`sufficiency`, with ``share`` of the pixels erased.

    Returns:
        The loss, comparable within one model only; ``retention``, the share of these inputs at which the target is
        predicted, lower is better, comparable across models.
    """
    order = descending_order(pixel_values(attribution), rng)
    return _without(model, x, baseline_image(x, reference, baseline), target, order, share, keep=False)


def _without(
    model: nn.Module,
    x: Tensor,
    erased: Tensor,
    target: Tensor,
    order: Tensor,
    share: float | None,
    *,
    keep: bool,
) -> dict[str, Tensor]:
    """Loss and retention when the first pixels of ``order`` are all that is kept of ``x``, or all that is not."""
    points = _points("sufficiency" if keep else "comprehensiveness", order.shape[1], share)
    start, end = (erased, x) if keep else (x, erased)
    with torch.no_grad():
        intact = read([model(x)], target)[..., 0]
        changed = read(replace_in_order(model, start, end, order, points), target)
    return {"": (intact - changed[..., 0]).mean(1), "retention": changed[..., 1].mean(1)}


def _points(component: str, pixels: int, share: float | None) -> list[int]:
    """Numbers of pixels, ascending."""
    if share is None:
        return [max(1, round(each * pixels)) for each in SHARES]
    if not isinstance(share, float | int) or not 0 < share <= 1:
        raise SettingError(
            f"setting 'share' of '{component}' must be a number above 0 and at most 1; got '{share}'"
        )
    return [max(1, round(share * pixels))]
