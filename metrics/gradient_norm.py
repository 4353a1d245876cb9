"""Gradient norm: how steep the model is at the input."""

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
    source="Serrurier et al. 2023, arXiv:2206.06854",
    columns={"p5": Column(), "p95": Column()},
    shared=[norms],
    whole=True,
    version=2,
)
def gradient_norm(norms: Tensor) -> dict[str, Tensor]:
    """L2 norm of the gradient of the target's logit, ``(N,)``, in logits per unit of ``x``.

    On the support of an optimal transport potential it is 1 almost everywhere.

    Args:
        norms: of each sample, ``(N,)``.

    Returns:
        The norms; ``p5`` and ``p95``, their percentiles, as contributions of samples: see :func:`percentile`.
    """
    return {"": norms, "p5": percentile(norms, 0.05), "p95": percentile(norms, 0.95)}


def percentile(values: Tensor, level: float) -> Tensor:
    """A percentile as contributions of samples, ``(N,)``: their mean is the percentile, their spread its error.

    By its influence function (Bahadur 1966): a value at or below the percentile pulls it down, one above pushes
    it up, the more the sparser the values around it are.

    Args:
        values: ``(N,)``.
        level: between 0 and 1, both excluded.
    """
    reach = min(len(values) ** -0.5, level / 2, (1 - level) / 2)
    low, high = level - reach, level + reach
    at, before, after = torch.quantile(values, values.new_tensor([level, low, high]))
    below = (values <= at).to(values)
    return at + (below.mean() - below) * (after - before) / (high - low)
