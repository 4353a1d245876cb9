"""Sensitivity-n: whether the attribution of n pixels tells what the logit loses without them."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.pixels import channels, pixel_values
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import Baseline, baseline_image
from .shared.correlation import pearson
from .shared.erasing import replace_in_order
from .shared.subsets import draw_keys, drawn_by, logit_of, proper_share


def nested_drops(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    baseline: Baseline = "zero",
    sizes: int = 8,
    largest: float = 0.8,
    draws: int = 100,
) -> Tensor:
    """The key of each sample's orders of pixels, and the loss of logit without the first n of each.

    The arguments are those of :func:`sensitivity_n`.

    Returns:
        ``(B, 1 + draws, S)``; the key is repeated for each of the S values of n.
    """
    at_least(1, "sensitivity_n", sizes=sizes)
    at_least(2, "sensitivity_n", draws=draws)
    proper_share("sensitivity_n", largest=largest)
    keys, erased, pixels = draw_keys(x, rng), baseline_image(x, reference, baseline), channels(x).shape[2]
    points = subset_sizes(pixels, sizes, largest)
    before = logit_of(model, x, target)
    lost = [keys.expand(-1, len(points))]
    with torch.no_grad():
        for order in _orders(keys, pixels, draws):
            after = torch.stack(replace_in_order(model, x, erased, order, points), dim=1)
            lost.append(before - after.gather(2, target[:, None, None].expand(-1, len(points), 1))[..., 0])
    return torch.stack(lost, dim=1)


@metric(
    family="faithfulness",
    higher_is_better=True,
    across_models=True,
    source="Ancona et al. 2018, arXiv:1711.06104",
    shared=[nested_drops],
)
def sensitivity_n(
    attribution: Tensor,
    nested_drops: Tensor,
    *,
    baseline: Baseline = "zero",
    sizes: int = 8,
    largest: float = 0.8,
    draws: int = 100,
) -> dict[str, Tensor]:
    """Correlation between the attribution of n random pixels and the target's logit lost without them, ``(B,)``.

    Pearson over the subsets of one image, for each n, then the mean over n; in ``[-1, 1]``, higher is better, and
    unchanged when all logits are scaled. Quantus draws no subsets: it removes pixels in order of attribution and
    correlates over the images.

    Args:
        attribution: one signed value for each element, ``(B, C, H, W)`` or ``(B, F)``.
        nested_drops: key of the subsets, and loss of logit without each, ``(B, 1 + draws, S)``; one for all methods.
        baseline: what a removed pixel becomes: ``zero``, the training set's ``mean`` image, or a ``blur`` of x.
        sizes: values of n, from 1 up, equally spaced on a logarithmic scale, and rounded; equal ones count once.
        largest: share of the pixels in the largest subset.
        draws: subsets of each size. Those of one draw contain each other.

    Returns:
        The mean; ``curve``: the correlation for each n, ``(B, S)``. It is 0 where all subsets of a size have the
        same attribution (a zero or constant map), or the same effect.

    Raises:
        XaiboardError: a setting out of range, or a baseline that is not available.
    """
    keys, lost = nested_drops[:, 0, :1], nested_drops[:, 1:]
    values = pixel_values(attribution)
    points = torch.tensor(subset_sizes(values.shape[1], sizes, largest), device=values.device) - 1
    sums = [values.gather(1, order).cumsum(1)[:, points] for order in _orders(keys, values.shape[1], draws)]
    held = torch.stack(sums, dim=2)
    curve = pearson(held.flatten(0, 1), lost.mT.flatten(0, 1)).view(held.shape[:2])
    return {"": curve.mean(1), "curve": curve}


def subset_sizes(pixels: int, sizes: int, largest: float) -> list[int]:
    """The values of n, in ascending order, from 1 to ``largest * pixels``."""
    last = max(1.0, largest * pixels)
    return sorted({round(last ** (i / max(1, sizes - 1))) for i in range(sizes)})


def _orders(keys: Tensor, pixels: int, draws: int) -> Iterator[Tensor]:
    rng = drawn_by(keys)
    for _ in range(draws):
        yield rng.permutation(keys, pixels)
