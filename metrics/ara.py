"""Accuracy-robustness area: accuracy beyond chance, integrated over the size of the perturbation."""

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.errors import SettingError
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.minimal_attacks import l2_loop, rmse
from ..benchmark.toolkit.pgd import log_odds, margin

Ascent = Literal["both", "cross_entropy", "margin"]


def loop_distance(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    *,
    steps: int = 100,
    eps: float = 1.0,
    momentum: float = 0.0,
    loss: Ascent = "both",
) -> Tensor:
    """RMSE at which the L2 loop makes the prediction wrong, and at which it gets it to chance, ``(B, 4)``.

    Each is followed by whether it was first reached within half of the steps. Where it is never reached the
    RMSE is that at which the loop gave up.
    """
    walk = partial(l2_loop, model, x, label, path=eps, steps=steps, momentum=momentum)
    losses = {"cross_entropy": [log_odds], "margin": [margin]}.get(loss, [log_odds, margin])
    attacks = [walk(rule="l2min", loss=climbed) for climbed in losses]
    to_chance = walk(rule="btr")
    columns = []
    for runs in (attacks, [to_chance]):
        reached = torch.stack([found.step <= steps for found in runs])
        size = torch.stack([rmse(found.change) for found in runs])
        size = size.masked_fill(~reached & reached.any(0), torch.inf)  # where one gave up, the other counts
        first = torch.stack([found.step for found in runs]).amin(0)
        columns += [size.amin(0), (first <= steps / 2).to(size)]
    return torch.stack(columns, 1)


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    source="Woods et al. 2019, arXiv:1906.02896, section III.A",
    columns={
        "btr": Column(higher_is_better=True, across_models=True),
        "met": Column(across_models=True),
        "btr_met": Column(across_models=True),
    },
    shared=[loop_distance],
    whole=True,
)
def ara(
    logits: Tensor,
    loop_distance: Tensor,
    *,
    steps: int = 100,
    eps: float = 1.0,
    momentum: float = 0.0,
    loss: Ascent = "both",
) -> dict[str, Tensor]:
    """Area between accuracy and chance over the attack's RMSE, in units of ``x``: the mean over ``(N,)``.

    ``ARA = integral of max(A(r) - 1/K, 0) dr`` with ``A(r)`` the share of images whose distance exceeds r. With
    ``r*`` where A falls to ``1/K``, an image contributes ``min(r_i, r*) - r*/K``. The attack leaves ``[0, 1]``,
    so distances are smaller than those of ``attack_distance``.

    The paper takes 450 steps, a path of 20 and a momentum of .9, which is some five times the work; on the
    shipped CNNs for digits the areas agree to 1 %. It climbs the cross-entropy alone (``loss=cross_entropy``). On
    1-Lipschitz networks, whose logits differ little, that overstates the area by a sixth, so that models could
    not be compared: by default an image counts with the smaller distance of two loops.

    Args:
        logits: ``(N, K)``.
        loop_distance: RMSE of the smallest change that makes the prediction wrong, and that gets the label's
            softmax down to ``1/K``, each with whether it was first reached in half of the steps, ``(N, 4)``.
        steps: of each loop.
        eps: length of its path (RMSE), in units of ``x``.
        momentum: of its directions, in ``[0, 1)``.
        loss: climbed to make the prediction wrong: the smaller distance of ``both`` loops, or of one.

    Returns:
        The area under attack (A(0) is the accuracy); ``btr``, the area of better than random (A(0) is the share
        whose softmax exceeds ``1/K``); ``met`` and ``btr_met``, 1 where the aim was first reached in the first half
        of the steps. The paper refuses to run where one is not; raise ``eps`` or ``steps`` where their mean is
        below 1. A loop that never reaches its aim counts with the RMSE at which it gave up.

    Raises:
        XaiboardError: a setting out of its range.
    """
    at_least(1, "ara", steps=steps)
    at_least(0, "ara", eps=eps, momentum=momentum)
    if momentum >= 1:
        raise SettingError(f"setting 'momentum' of 'ara' must be below 1; got '{momentum:g}'")
    attack, met, btr, btr_met = loop_distance.unbind(1)
    classes = logits.shape[1]
    return {"": area(attack, classes), "btr": area(btr, classes), "met": met, "btr_met": btr_met}


def area(distance: Tensor, classes: int) -> Tensor:
    """Contributions to the area, ``(N,)``, from distances ``(N,)``: exact, since the accuracy is a step function."""
    edges = torch.cat([distance.new_zeros(1), distance.sort().values])
    beyond = len(distance) - torch.searchsorted(edges[1:].contiguous(), edges, right=True)
    end = edges[beyond * classes <= len(distance)][0]
    return torch.minimum(distance, end) - end / classes
