"""Infidelity: how badly the attribution predicts the change of the logit under random changes of the input."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Literal

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.per_side import in_proportion, one_feature, sized
from ..benchmark.toolkit.ranges import Count, NotNegative
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import BLUR, Baseline, Blur, baseline_image
from .shared.correlation import cosine
from .shared.subsets import draw_keys, drawn_by, drops


@dataclass(frozen=True)
class Changes:
    """Random changes of the input.

    Args:
        change: ``square`` erases a random square, and ``<I, a>`` is the sum of the attribution in it, which suits maps
            in units of the logit (integrated gradients). ``noise`` subtracts a Gaussian, and ``<I, a>`` is the sum of
            its product with the attribution, which suits maps in logits per unit of ``x`` (gradients).
        baseline: what an erased pixel becomes: ``zero`` (black), the training set's ``mean`` image, or a ``blur`` of
            ``x``.
        patch: largest side of a square, in pixels. Sides are uniform from 1 to this, and positions are uniform within
            the image. Of a vector, a run of as many features is erased.
        sigma: standard deviation of the noise, in units of ``x``.
        draws: number of changes of each sample; each costs a forward pass.
        blur: standard deviation of the ``blur``, in pixels.
    """

    change: Literal["square", "noise"] = "square"
    baseline: Baseline = "zero"
    patch: Count = in_proportion(10, one_feature)
    sigma: NotNegative = 0.2
    draws: Count = 200
    blur: Blur = BLUR


def change_drops(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    changes: Changes = Changes(),
) -> Tensor:
    """Per sample: the seed of its random changes, then the logit lost by each of them, ``(B, 1 + draws)``."""
    keys, erased = draw_keys(x, rng), baseline_image(x, reference, changes.baseline, changes.blur)
    square = changes.change == "square"
    drawn = _changes(keys, x, changes)
    changed = (torch.where(each > 0, erased, x) if square else x - each for each in drawn)
    return torch.cat([keys, drops(model, x, target, changed)], dim=1)


@metric(
    family="faithfulness",
    higher_is_better=False,
    range=(0, inf),
    source="Yeh et al. 2019, arXiv:1901.09392, def. 2.1, with the optimal scale of its experiments",
    columns={
        "normalised": Column(higher_is_better=False, across_models=True, range=(0, 1)),
        "cosine": Column(higher_is_better=True, across_models=True, range=(-1, 1)),
    },
    shared=[change_drops],
)
def infidelity(
    attribution: Tensor, change_drops: Tensor, *, changes: Changes = Changes()
) -> dict[str, Tensor]:
    """Mean squared error of the attribution's prediction of the target's logit loss, at its best scale, ``(B,)``.

    ``min over b of E[(b <I, a> - (f(x) - f(x - I)))^2]`` for random changes I, in squared logits; lower is better. The
    scale b may be negative, as in the paper and in captum, so a map and its negative have the same infidelity.

    Args:
        attribution: one signed value for each element, ``(B, C, H, W)`` or ``(B, F)``.
        change_drops: seed of each sample's random changes, then the logit lost by each of them, ``(B, 1 + draws)``; all
            methods share them.
        changes: the random changes.

    Returns:
        The infidelity; it compares only within one model. The other columns do not change when all logits are scaled.
        ``normalised``: the infidelity divided by the mean square of the losses, from 0 (exact) to 1 (a map that
        predicts nothing, such as zero, or an input on which nothing is lost); it is ``1 - cosine^2``. ``cosine``: the
        cosine between ``<I, a>`` and the losses, in ``[-1, 1]``, which tells a map from its negative.

    Raises:
        XaiboardError: the baseline is not available.
    """
    keys, lost = change_drops[:, :1], change_drops[:, 1:]
    said = [(each * attribution).flatten(1).sum(1) for each in _changes(keys, attribution, changes)]
    alike = cosine(torch.stack(said, dim=1), lost)
    unexplained = 1 - alike**2
    return {"": lost.square().mean(1) * unexplained, "normalised": unexplained, "cosine": alike}


def _changes(keys: Tensor, x: Tensor, changes: Changes) -> Iterator[Tensor]:
    """Each random square (1 inside, 0 outside) or noise, in a shape that broadcasts to that of ``x``."""
    rng, changes = drawn_by(keys), sized(changes, x)
    if changes.change == "square":
        yield from _squares(rng, x, changes)
    else:
        for _ in range(changes.draws):
            yield rng.normal(x, changes.sigma)


def _squares(rng: SampleRng, x: Tensor, changes: Changes) -> Iterator[Tensor]:
    """Squares, drawn together: one by one, they would take as long as the passes of a small network."""
    size, *corner = rng.uniform(x.new_empty(len(x), changes.draws, 3)).unbind(2)
    side = _whole(size, changes.patch) + 1
    if x.dim() == 2:
        pairs = zip(corner[0].unbind(1), side.unbind(1), strict=True)
        return (_run(u, length**2, x.shape[1]).to(x) for u, length in pairs)
    rows, columns = (_run(u, side, length) for u, length in zip(corner, x.shape[2:], strict=True))
    pairs = zip(rows.unbind(1), columns.unbind(1), strict=True)
    return ((down[:, None, :, None] & across[:, None, None]).to(x) for down, across in pairs)


def _run(u: Tensor, length: Tensor, size: int) -> Tensor:
    """Whether a place is in a run of ``length (...)`` whose start ``u`` in ``[0, 1]`` chooses, bool ``(..., size)``."""
    length = length.clamp_max(size)
    start = _whole(u, size - length + 1)
    index = torch.arange(size, device=u.device)
    return (index >= start[..., None]) & (index < (start + length)[..., None])


def _whole(u: Tensor, count: Tensor | int) -> Tensor:
    """A whole number from 0 to ``count - 1``, all equally likely if ``u`` is uniform; ``u`` may be rounded to 1."""
    return torch.minimum((u * count).floor(), torch.as_tensor(count - 1).to(u))
