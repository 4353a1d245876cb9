"""The counterfactuals figure: what changes when an image moves straight to the class boundary, and beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..engine.batching import Batcher
from ..engine.costs import Cost
from ..engine.plan import Plan
from ..engine.values import Values
from ..report.drawing.tiles import Sheet
from ..subjects.trained_models import TrainedModel
from ..toolkit.roles import BOUNDARY_STEP
from .strips import Tile, draw_strips

FAMILIES = ("ot", "standard", "adversarial")
"""Families that are shown, each by its first model."""

IMAGES = 4
"""The first samples of the run."""

LENGTHS = (0, 1, 2, 4)
"""Lengths of the steps: 1 leads to where the two best classes would be equal if the network were linear."""

READING = (
    "Steps along the gradient towards the best other class. Below each image: the predicted class, and by how much the"
    " first one's logit exceeds the best other. Last: the step of length 1, red where it brightens, with its L2 norm."
)
"""Above the picture."""


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


def passes_of_counterfactuals(plan: Plan) -> dict[str, Cost]:
    """Passes that the figure takes, by model: of each image, its logits, its margin with a gradient, and the points."""
    images = len(plan.data[:IMAGES])
    cost = Cost(forward=2 + len(LENGTHS), backward=1) * images
    return {model.name: cost for model in (_models(plan) if len(plan.data.shape) == 3 else ())}


def draw_counterfactuals(plan: Plan, paths: Sequence[Path]) -> None:
    """Draws steps from the first samples of a run to some files, for one model of each family.

    Below each image: the predicted class, and the margin of the class predicted at first. The map is the
    step of length 1, red where it brightens, with its L2 norm. Pixels outside ``[0, 1]`` are shown as black or
    white. Nothing is drawn unless the run has a metric that walks to the boundary, as its role says.
    """
    data = plan.data[:IMAGES]
    strips = {}
    for model in _models(plan) if len(data.shape) == 3 else ():
        values = Values(model, data, None, plan.conditions, Batcher(None, plan.conditions.device))
        try:
            _ = values.logits  # raises unless there is one for each class
            strips[f"{model.name} ({model.family})"] = _strips(walk(values.model, values.x), data.classes)
        except Exception:  # noqa: S112 - the run has told what the model raises
            continue
    if strips:
        titles = ["image", *(f"{length}× step" for length in LENGTHS[1:]), "step"]
        for path in paths:
            draw_strips(titles, strips, READING, {}, path)


def _models(plan: Plan) -> list[TrainedModel]:
    """The first model of each family that is shown, of those that the metric is computed for."""
    first: dict[str, TrainedModel] = {}
    for cell in plan.cells:
        if BOUNDARY_STEP in cell.metric.component.roles:
            first.setdefault(cell.model.family, cell.model)
    return [first[family] for family in FAMILIES if family in first]


def _strips(steps: Steps, classes: Sequence[str]) -> list[list[Tile]]:
    """For each image the points on its line, and the map of the step."""
    predicted = steps.logits.argmax(2)
    return [
        [
            *(
                Tile(
                    partial(Sheet.image, values=steps.points[at, row].cpu().numpy()),
                    [classes[int(predicted[at, row])], f"{steps.margin[at, row]:+.2g}"],
                )
                for at in range(len(steps.points))
            ),
            Tile(
                partial(Sheet.map, values=steps.step[row].sum(0).cpu().numpy()),
                [f"L2 {steps.step[row].norm():.2g}"],
            ),
        ]
        for row in range(steps.points.shape[1])
    ]
