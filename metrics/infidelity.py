"""Infidelity: how far the attribution of what changes is from the change of the logit."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import Baseline, baseline_image
from .shared.correlation import cosine
from .shared.subsets import draw_keys, drawn_by, drops

Change = Literal["square", "noise"]


def change_drops(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    change: Change = "square",
    baseline: Baseline = "zero",
    patch: int = 10,
    sigma: float = 0.2,
    draws: int = 200,
) -> Tensor:
    """The key of each sample's changes, and the loss of logit by each of them, ``(B, 1 + draws)``.

    The arguments are those of :func:`infidelity`.
    """
    at_least(1, "infidelity", patch=patch, draws=draws)
    at_least(0, "infidelity", sigma=sigma)
    keys, erased = draw_keys(x, rng), baseline_image(x, reference, baseline)
    drawn = _changes(keys, x, change, patch, sigma, draws)
    changed = (torch.where(each > 0, erased, x) if change == "square" else x - each for each in drawn)
    return torch.cat([keys, drops(model, x, target, changed)], dim=1)


@metric(
    family="faithfulness",
    higher_is_better=False,
    source="Yeh et al. 2019, arXiv:1901.09392, def. 2.1, with the optimal scale of its experiments",
    columns={
        "normalised": Column(higher_is_better=False, across_models=True),
        "cosine": Column(higher_is_better=True, across_models=True),
    },
    shared=[change_drops],
)
def infidelity(
    attribution: Tensor,
    change_drops: Tensor,
    *,
    change: Change = "square",
    baseline: Baseline = "zero",
    patch: int = 10,
    sigma: float = 0.2,
    draws: int = 200,
) -> dict[str, Tensor]:
    """Mean square of the target's logit lost less what the attribution says, at the attribution's best scale, ``(B,)``.

    ``min over b of E[(b <I, a> - (f(x) - f(x - I)))^2]``, in squared logits, lower is better. The scale b may be
    negative, here as in the paper and in captum: a map and its negative have the same infidelity.

    Args:
        attribution: one signed value for each element, ``(B, C, H, W)`` or ``(B, F)``.
        change_drops: key of the changes, and loss of logit by each, ``(B, 1 + draws)``; one for all methods.
        change: ``square`` erases a square, and ``<I, a>`` is the attribution in it, as suits maps in units of the
            logit (integrated gradients); ``noise`` subtracts a Gaussian, and ``<I, a>`` is its product with the
            attribution, as suits maps in logits per unit of x (gradients).
        baseline: what an erased pixel becomes: ``zero``, the training set's ``mean`` image, or a ``blur`` of x.
        patch: largest side of a square, in pixels. Sides are uniform from 1, positions uniform within the image; a
            vector loses a run of as many features.
        sigma: deviation of the noise, in units of x.
        draws: changes of each sample.

    Returns:
        The infidelity, comparable within one model only; and, unchanged when all logits are scaled,
        ``normalised``, its share of the mean square of the losses, from 0 (exact) to 1 (a map that says
        nothing, such as zero, or an input on which nothing is lost), and ``cosine`` between ``<I, a>`` and the
        losses, in ``[-1, 1]``, which tells a map from its negative: ``normalised`` is ``1 - cosine^2``.

    Raises:
        XaiboardError: a setting out of range, or a baseline that is not available.
    """
    keys, lost = change_drops[:, :1], change_drops[:, 1:]
    said = [
        (each * attribution).flatten(1).sum(1)
        for each in _changes(keys, attribution, change, patch, sigma, draws)
    ]
    alike = cosine(torch.stack(said, dim=1), lost)
    unexplained = 1 - alike**2
    return {"": lost.square().mean(1) * unexplained, "normalised": unexplained, "cosine": alike}


def _changes(
    keys: Tensor, x: Tensor, change: Change, patch: int, sigma: float, draws: int
) -> Iterator[Tensor]:
    """What is drawn, in a shape that broadcasts to that of ``x``: 1 in a square and 0 elsewhere, or noise."""
    rng = drawn_by(keys)
    for _ in range(draws):
        yield _square(rng, x, patch) if change == "square" else rng.normal(x, sigma)


def _square(rng: SampleRng, x: Tensor, patch: int) -> Tensor:
    size, *corner = rng.uniform(x.new_empty(len(x), 3)).unbind(1)
    side = _whole(size, patch) + 1
    if x.dim() == 2:
        return _run(corner[0], side**2, x.shape[1]).to(x)
    rows, columns = (_run(u, side, length) for u, length in zip(corner, x.shape[2:], strict=True))
    return (rows[:, None, :, None] & columns[:, None, None]).to(x)


def _run(u: Tensor, length: Tensor, size: int) -> Tensor:
    """Where a run of ``length (B,)``, placed by ``u (B,)`` in ``[0, 1]``, lies among ``size`` places, ``(B, size)``."""
    length = length.clamp_max(size)
    start = _whole(u, size - length + 1)
    index = torch.arange(size, device=u.device)
    return (index >= start[:, None]) & (index < (start + length)[:, None])


def _whole(u: Tensor, count: Tensor | int) -> Tensor:
    """A whole number from 0 to ``count - 1``, equally likely each for a uniform ``u``, which may be rounded to 1."""
    return torch.minimum((u * count).floor(), torch.as_tensor(count - 1).to(u))
