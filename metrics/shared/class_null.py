"""The overlap of a map with maps of other images of the same class: what is above it is about the image itself."""

from collections.abc import Callable, Mapping
from math import inf

import torch
from torch import Tensor

from ...benchmark.components.kinds import Column, Weighted

READS = ("class_attributions",)


def class_columns() -> dict[str, Column]:
    """The columns that :func:`beside_class` adds to those of a metric."""
    return {
        "class_chance": Column(range=(0, 1), reads=READS),
        "above_class": Column(higher_is_better=True, across_models=True, range=(-inf, 1), reads=READS),
    }


def beside_class(
    columns_of: Callable[[Tensor], Mapping[str, Tensor]],
    perturbed_attribution: Tensor,
    class_attributions: Tensor | None,
) -> dict[str, Tensor | Weighted]:
    """The columns of a metric that compares two maps and, if maps of other images are given, two more, ``(B,)`` each.

    ``class_chance`` is the mean share for maps of other images of the same class in the place of the perturbed map.
    ``above_class`` is the share on a scale from 0 at this level to 1 at full agreement. The length of the scale is its
    weight, so that its mean is a ratio of means: to images whose whole class has one map it is undefined, and they
    count for nothing. Images whose class has no other image have weight 0 in both columns.

    Args:
        columns_of: the columns of the metric, given the map that is compared with the original one; the share has the
            empty name.
        perturbed_attribution: that map, ``(B, ...)``.
        class_attributions: maps of other images of each image's class, ``(B, M, ...)``, NaN where there are fewer than
            M; or None.
    """
    columns = columns_of(perturbed_attribution)
    if class_attributions is None:
        return dict(columns)
    known = class_attributions.flatten(2).isfinite().all(2)
    shares = [columns_of(other)[""] for other in class_attributions.nan_to_num().unbind(1)]
    count = known.sum(1)
    chance = torch.where(known, torch.stack(shares, 1), 0.0).sum(1) / count.clamp_min(1)
    scale, any_known = 1 - chance, (count > 0).to(chance)
    above = (columns[""] - chance) / scale.clamp_min(torch.finfo(chance.dtype).tiny)
    return {
        **columns,
        "class_chance": Weighted(chance, any_known),
        "above_class": Weighted(torch.where(scale > 0, above, 0.0), scale * any_known),
    }
