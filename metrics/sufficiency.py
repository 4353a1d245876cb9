"""Sufficiency and comprehensiveness: how much a prediction loses with only the top pixels, and without them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.pixels import descending_order, pixel_values
from ..benchmark.toolkit.ranges import Share
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import BLUR, Baseline, Blur, baseline_image
from .shared.erasing import replace_in_order
from .shared.removal import read

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Shares of the pixels in the rationale, over which the paper averages."""

SOURCE = "DeYoung et al. 2020, arXiv:1911.03429, section 4.2"


@dataclass(frozen=True)
class Rationale:
    """The pixels of largest attribution.

    Args:
        baseline: what an erased pixel becomes: ``zero`` (black), the training set's ``mean`` image, or a ``blur`` of
            ``x``.
        share: share of the pixels in the rationale, at least one pixel; by default 1, 5, 10, 20 and 50 %, averaged.
        blur: standard deviation of the ``blur``, in pixels.
    """

    baseline: Baseline = "zero"
    share: Share | None = None
    blur: Blur = BLUR

    def sizes(self, pixels: int) -> list[int]:
        """Numbers of pixels, ascending."""
        shares = SHARES if self.share is None else (self.share,)
        return [max(1, round(share * pixels)) for share in shares]


@metric(
    family="faithfulness",
    higher_is_better=False,
    range=(-1, 1),
    source=SOURCE,
    columns={"retention": Column(higher_is_better=True, across_models=True, range=(0, 1))},
)
def sufficiency(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    rationale: Rationale = Rationale(),
) -> dict[str, Tensor]:
    """Loss of the target's probability when only the pixels of largest attribution are kept, ``(B,)``; lower is better.

    In ``[-1, 1]``; by default the mean over the paper's five shares of pixels. The attribution is summed over channels;
    ties are broken at random. Quantus' metric of the same name (Dasgupta et al. 2022, arXiv:2202.00734) measures
    something else: whether images with similar maps have the same prediction.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; the baseline ``mean`` needs them.
        rationale: how many pixels are kept, and what the others become.

    Returns:
        The loss; it compares only within one model. ``retention``: share of these inputs at which the target is
        predicted; it does not change when all logits are scaled, and higher is better.

    Raises:
        XaiboardError: the baseline is not available.
    """
    order = descending_order(pixel_values(attribution), rng)
    gone = baseline_image(x, reference, rationale.baseline, rationale.blur)
    return _losses(model, gone, x, x, target, order, rationale)


@metric(
    family="faithfulness",
    higher_is_better=True,
    range=(-1, 1),
    source=SOURCE,
    columns={"retention": Column(higher_is_better=False, across_models=True, range=(0, 1))},
)
def comprehensiveness(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    rationale: Rationale = Rationale(),
) -> dict[str, Tensor]:
    """Loss of the target's probability when the pixels of largest attribution are erased, ``(B,)``; higher is better.

    Arguments and errors are as in :func:`sufficiency`, but the pixels of the rationale are erased, and the others kept.

    Returns:
        The loss; it compares only within one model. ``retention``: share of these inputs at which the target is
        predicted; it compares across models, and lower is better.
    """
    order = descending_order(pixel_values(attribution), rng)
    gone = baseline_image(x, reference, rationale.baseline, rationale.blur)
    return _losses(model, x, gone, x, target, order, rationale)


def _losses(
    model: nn.Module,
    start: Tensor,
    end: Tensor,
    x: Tensor,
    target: Tensor,
    order: Tensor,
    rationale: Rationale,
) -> dict[str, Tensor]:
    """Loss and retention against ``x`` when ``start`` has the first pixels of ``order`` from ``end``."""
    with torch.no_grad():
        intact = read([model(x)], target)[..., 0]
        points = rationale.sizes(order.shape[1])
        changed = read(replace_in_order(model, start, end, order, points), target)
    return {"": (intact - changed[..., 0]).mean(1), "retention": changed[..., 1].mean(1)}
