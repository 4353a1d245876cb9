"""Gradient norm: how steep the model is at the input."""

from math import inf

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column


def norms(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """L2 norm of the gradient of the target's logit, ``(B,)``, in logits per unit of ``x``."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(model(leaf).gather(1, target[:, None]).sum(), leaf)
    return vector_norm(gradient.flatten(1), dim=1)


@metric(
    family="model",
    higher_is_better=None,
    range=(0, inf),
    source="Serrurier et al. 2023, arXiv:2206.06854",
    columns={"p5": Column(range=(-inf, inf)), "p95": Column(range=(-inf, inf))},
    shared=[norms],
    whole=True,
    version=2,
)
def gradient_norm(norms: Tensor) -> dict[str, Tensor]:
    """L2 norm of the gradient of the target's logit, ``(N,)``, in logits per unit of ``x``.

    For an optimal transport potential it is 1 almost everywhere on its support.

    Args:
        norms: the norm for each sample, ``(N,)``.

    Returns:
        The norms. ``p5``: their 5th percentile, as contributions of the samples (see :func:`percentile`). ``p95``:
        their 95th percentile, likewise.
    """
    return {"": norms, "p5": percentile(norms, 0.05), "p95": percentile(norms, 0.95)}


def percentile(values: Tensor, level: float) -> Tensor:
    """Contributions of the samples to a percentile, ``(N,)``: their mean is the percentile.

    Their standard deviation gives the standard error of the percentile. A contribution is the percentile plus the
    influence of the sample on it (Bahadur 1966): values at or below the percentile pull it down and values above push
    it up, the more, the sparser the values around it are.

    Args:
        values: ``(N,)``.
        level: the percentile divided by 100; above 0 and below 1.
    """
    reach = min(len(values) ** -0.5, level / 2, (1 - level) / 2)
    low, high = level - reach, level + reach
    at, before, after = torch.quantile(values, values.new_tensor([level, low, high]))
    below = (values <= at).to(values)
    return at + (below.mean() - below) * (after - before) / (high - low)
