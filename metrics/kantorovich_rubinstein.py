"""Kantorovich-Rubinstein value: how far the logits separate each class from the others."""

from math import inf

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..benchmark.components.decorators import metric


@metric(
    family="model",
    higher_is_better=True,
    range=(-inf, inf),
    source="Serrurier et al. 2021, arXiv:2006.06520; Serrurier et al. 2023, arXiv:2206.06854",
    whole=True,
)
def kantorovich_rubinstein(logits: Tensor, label: Tensor) -> Tensor:
    """Mean over classes of ``E[f_k | y = k] - E[f_k | y != k]``, in logits, as contributions of samples, ``(N,)``.

    If each logit is 1-Lipschitz, this is a lower bound of the mean Wasserstein-1 distance between a class and the
    others, and equal to it for transport potentials. Logits of a network without such a bound can be scaled at will, so
    models do not compare. A class is left out if no sample, or every sample, belongs to it.

    The contribution of a sample is the value plus the sample's influence on it. The mean of the contributions is the
    value, and their spread gives its standard error to first order, including how often each class is drawn.

    Args:
        logits: ``(N, K)``.
        label: true classes, ``(N,)``.
    """
    own = one_hot(label, logits.shape[1]).to(logits)
    known = (own.sum(0) > 0) & (own.sum(0) < len(own))
    if not known.any():
        return torch.zeros_like(logits[:, 0])
    inside, outside = (one[:, known] / one[:, known].mean(0) for one in (own, 1 - own))
    scores = logits[:, known]
    mean_inside, mean_outside = (inside * scores).mean(0), (outside * scores).mean(0)
    influence = inside * (scores - mean_inside) - outside * (scores - mean_outside)
    return (mean_inside - mean_outside + influence).mean(1)
