"""The counterfactuals figure: what changes when an image moves straight to the class boundary, and beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..engine.batching import Batcher
from ..engine.plan import Plan
from ..engine.values import Values
from ..report.drawing import save, show_image, show_map
from ..subjects.trained_models import TrainedModel
from ..toolkit.roles import BOUNDARY_STEP

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAMILIES = ("ot", "standard", "adversarial")
"""Families that are shown, each by its first model."""

IMAGES = 6
"""Rows: the first samples of the run."""

LENGTHS = (0, 1, 2, 4)
"""Lengths of the steps: 1 leads to where the two best classes would be equal if the network were linear."""


class Steps(NamedTuple):
    """Images on a straight line from an image across the class boundary.

    Args:
        points: ``(S, N, C, H, W)``, one for each length; they may leave ``[0, 1]``.
        logits: of the points, ``(S, N, K)``.
        step: the step of length 1, ``(N, C, H, W)``.
    """

    points: Tensor
    logits: Tensor
    step: Tensor

    @property
    def margin(self) -> Tensor:
        """Logit of the class that is predicted for the image less that of the best other, at each point, ``(S, N)``."""
        top = self.logits[0].argmax(1).expand(len(self.logits), -1)[..., None]
        return self.logits.gather(2, top)[..., 0] - self.logits.scatter(2, top, -torch.inf).amax(2)


@torch.no_grad()
def walk(model: nn.Module, x: Tensor, lengths: Sequence[float] = LENGTHS) -> Steps:
    """``x - t g grad g / |grad g|^2``, where g is the margin between the two best classes and t one of ``lengths``.

    For an optimal-transport potential one step is the way to the boundary (Serrurier et al. 2023,
    arXiv:2206.06854, prop. 2), and longer ones lead towards the other class.

    Args:
        model: in eval mode, images to logits.
        x: images, ``(N, C, H, W)``.
        lengths: how far to go; 0 is the image itself.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        best = model(x).topk(2).values
        margin = best[:, 0] - best[:, 1]
        (gradient,) = torch.autograd.grad(margin.sum(), x)
    square = gradient.flatten(1).square().sum(1).clamp_min(torch.finfo(x.dtype).tiny)
    step = -(margin / square).view(-1, *[1] * (x.ndim - 1)) * gradient
    points = torch.stack([x + length * step for length in lengths])
    return Steps(points, torch.stack([model(point) for point in points]), step)


def draw_counterfactuals(plan: Plan, path: Path) -> None:
    """Draws steps from the first samples of a run, side by side for one model of each family.

    Below each image: the predicted class, and the margin of the class predicted at first. The map is the
    step of length 1, red where it brightens, with its L2 norm. Pixels outside ``[0, 1]`` are shown as black or
    white. Nothing is drawn unless the run has a metric that walks to the boundary, as its role says.
    """
    from matplotlib import pyplot

    models = _models(plan)
    data = plan.data[:IMAGES]
    if not models or data.x.ndim != 4:
        return
    tiles = [1.0] * (len(LENGTHS) + 1) + [0.3]  # the last one parts the models
    figure, axes = pyplot.subplots(
        len(data), len(tiles) * len(models), figsize=(0.85 * sum(tiles) * len(models), 1.15 * len(data) + 0.6),
        squeeze=False, gridspec_kw={"wspace": 0.08, "hspace": 0.45, "width_ratios": tiles * len(models)},
    )  # fmt: skip
    for axis in axes.flat:
        axis.set_axis_off()
    for model, block in zip(models, np.split(axes, len(models), axis=1), strict=True):
        block[0][0].annotate(
            f"{model.name} ({model.family})", (0, 1.45), xycoords="axes fraction", fontsize=9, weight="bold"
        )
        values = Values(model, data, None, plan.conditions, Batcher(None, plan.conditions.device))
        try:
            _ = values.logits  # raises unless there is one for each class
            steps = walk(values.model, values.x)
        except Exception:  # noqa: S112 - the run has told what the model raises
            continue
        _fill(block[:, :-1], steps, data.classes)
    save(figure, path, crop=True)


def _models(plan: Plan) -> list[TrainedModel]:
    """The first model of each family that is shown, of those that the metric is computed for."""
    first: dict[str, TrainedModel] = {}
    for cell in plan.cells:
        if BOUNDARY_STEP in cell.metric.component.roles:
            first.setdefault(cell.model.family, cell.model)
    return [first[family] for family in FAMILIES if family in first]


def _fill(axes: np.ndarray, steps: Steps, classes: Sequence[str]) -> None:
    """One model's tiles: rows are images, columns are lengths and the map."""
    titles = ["image", *(f"{length}× step" for length in LENGTHS[1:]), "step"]
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=7)
    predicted = steps.logits.argmax(2)
    for row, tiles in enumerate(axes):
        for column, axis in enumerate(tiles[:-1]):
            show_image(axis, steps.points[column, row].cpu().numpy())
            said = classes[int(predicted[column, row])]
            _caption(axis, f"{said[:14]}\n{steps.margin[column, row]:+.2g}")
        show_map(tiles[-1], steps.step[row].sum(0).cpu().numpy())
        _caption(tiles[-1], f"L2 {steps.step[row].norm():.2g}")


def _caption(axis: Axes, text: str) -> None:
    axis.text(0.5, -0.04, text, transform=axis.transAxes, ha="center", va="top", fontsize=6)
