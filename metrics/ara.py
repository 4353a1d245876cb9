"""Accuracy-robustness area: accuracy beyond chance, integrated over the size of the perturbation."""

from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.minimal_attacks import l2_loop, rmse
from ..benchmark.toolkit.pgd import log_odds, margin
from ..benchmark.toolkit.ranges import Count, NotNegative


@dataclass(frozen=True)
class Loops:
    """The attack of Woods et al.: a loop of steps that grow and shrink the change of the image.

    Args:
        steps: number of steps of each loop; each costs a forward and a backward pass.
        eps: sum of the lengths of the steps (RMSE), in units of ``x``.
        momentum: weight of the earlier directions in the next one.
        loss: what the loop climbs to make the prediction wrong: the ``cross_entropy``, the ``margin``, or ``both``,
            each in a loop of its own, of which the smaller distance counts.
    """

    steps: Count = 100
    eps: NotNegative = 1.0
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    loss: Literal["both", "cross_entropy", "margin"] = "both"


def loop_distance(model: nn.Module, x: Tensor, label: Tensor, *, loops: Loops = Loops()) -> Tensor:
    """Sizes (RMSE) of the changes that make the prediction wrong, and that bring it down to chance, ``(B, 4)``.

    Each of the two sizes is followed by 1 if the loop first succeeded within half of the steps, else 0. Where a loop
    never succeeds, the size is that of its last change.
    """
    steps = loops.steps
    walk = partial(l2_loop, model, x, label, path=loops.eps, steps=steps, momentum=loops.momentum)
    losses = {"cross_entropy": [log_odds], "margin": [margin]}.get(loops.loss, [log_odds, margin])
    attacks = [walk(rule="l2min", loss=climbed) for climbed in losses]
    to_chance = walk(rule="btr")
    columns = []
    for runs in (attacks, [to_chance]):
        reached = torch.stack([found.step <= steps for found in runs])
        size = torch.stack([rmse(found.change) for found in runs])
        size = size.masked_fill(
            ~reached & reached.any(0), torch.inf
        )  # where one loop fails, the other one counts
        first = torch.stack([found.step for found in runs]).amin(0)
        columns += [size.amin(0), (first <= steps / 2).to(size)]
    return torch.stack(columns, 1)


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    range=(-inf, inf),
    source="Woods et al. 2019, arXiv:1906.02896, section III.A",
    columns={
        "btr": Column(higher_is_better=True, across_models=True, range=(-inf, inf)),
        "met": Column(across_models=True, range=(0, 1)),
        "btr_met": Column(across_models=True, range=(0, 1)),
    },
    shared=[loop_distance],
    whole=True,
)
def ara(logits: Tensor, loop_distance: Tensor, *, loops: Loops = Loops()) -> dict[str, Tensor]:
    """Area between accuracy and chance over the size (RMSE) of an attack, in units of ``x``; its mean over ``(N,)``.

    ``ARA = integral of max(A(r) - 1/K, 0) dr``, where ``A(r)`` is the accuracy under changes of size r: the share of
    images whose distance to a wrong prediction exceeds r. With ``r*`` the size at which A falls to ``1/K``, an image at
    distance ``r_i`` contributes ``min(r_i, r*) - r*/K``. The attack may leave ``[0, 1]``, so its distances are smaller
    than those of ``attack_distance``.

    The paper takes 450 steps, ``eps=20`` and a momentum of .9, which is about five times the work; on the CNNs for
    digits that come with the suite, the areas agree to 1 %. The paper climbs only the cross-entropy
    (``loss=cross_entropy``). On 1-Lipschitz networks, whose logits differ little, this overstates the area by a sixth,
    and models could not be compared. By default two losses are climbed, and the smaller distance counts.

    Args:
        logits: ``(N, K)``.
        loop_distance: smallest RMSE that makes the prediction wrong, and smallest RMSE that brings the label's softmax
            down to ``1/K``; each is followed by whether it was first reached in half of the steps, ``(N, 4)``.
        loops: how the attack moves.

    Returns:
        The area under attack; A(0) is the accuracy. ``btr``: the area of "better than random", where A(r) is the share
        of images whose softmax for the label exceeds ``1/K``. ``met``: 1 where the attack first succeeded in the first
        half of its steps, else 0 (the paper refuses to report an area where one is 0; raise ``eps`` or ``steps`` if the
        mean is below 1). ``btr_met``: 1 where the attack first brought the softmax down to ``1/K`` in the first half of
        its steps, else 0. An image on which the loop never succeeds counts with the RMSE of its last change.
    """
    del loops  # settings of the shared value
    attack, met, btr, btr_met = loop_distance.unbind(1)
    classes = logits.shape[1]
    return {"": area(attack, classes), "btr": area(btr, classes), "met": met, "btr_met": btr_met}


def area(distance: Tensor, classes: int) -> Tensor:
    """Contribution of each image to the area, ``(N,)``; exact, since the accuracy is a step function of distance."""
    edges = torch.cat([distance.new_zeros(1), distance.sort().values])
    beyond = len(distance) - torch.searchsorted(edges[1:].contiguous(), edges, right=True)
    end = edges[beyond * classes <= len(distance)][0]
    return torch.minimum(distance, end) - end / classes
