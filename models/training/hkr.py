"""The hinge-regularised Kantorovich-Rubinstein (hKR) loss: binary, one class against all others, and with a softmax."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, relu

from ...benchmark.errors import XaiboardError


def binary_hkr(score: Tensor, label: Tensor, *, alpha: float = 0.9, min_margin: float = 1.0) -> Tensor:
    """Binary hKR loss of a batch, a scalar: a hinge minus the difference between the mean scores of the two classes.

    With ``y = 2 label - 1``::

        alpha mean(relu(m/2 - y f)) - (1 - alpha) (mean of f where y = 1 - mean of f where y = -1)

    Serrurier et al. 2021, arXiv:2006.06520; margin and weight as in deel-torchlip. If a batch lacks a class, the mean
    over that class counts as 0. With ``alpha`` 0 and a 1-Lipschitz f, minus the loss is a lower bound of the
    Wasserstein-1 distance between the classes.

    Args:
        score: f, ``(B,)``, in units of the input; positive predicts class 1.
        label: 0 or 1, integer ``(B,)``.
        alpha: weight of the hinge, in ``[0, 1]``; the paper's lambda is ``alpha / (1 - alpha)``.
        min_margin: m, the smallest gap between the classes for which the hinge is 0, in units of the input.

    Raises:
        XaiboardError: there is not one score for each sample, or not one label 0 or 1.
    """
    _check(score, label)
    if score.dim() != 1 or not ((label == 0) | (label == 1)).all():
        raise XaiboardError(
            f"the binary hKR loss needs scores shaped (B,) and labels 0 or 1; got scores shaped"
            f" {tuple(score.shape)} and labels {label.unique().tolist()}"
        )
    positive = label.bool()
    hinge = _hinge(score, positive, min_margin).mean()
    return alpha * hinge - (1 - alpha) * _transport(score, positive)


def one_vs_all_hkr(logits: Tensor, label: Tensor, *, alpha: float = 0.9, min_margin: float = 1.0) -> Tensor:
    """One-vs-all hKR loss of a batch, a scalar: mean over the K logits of the loss of telling one class from the rest.

    For each logit the loss is :func:`binary_hkr`, except that the hinge of the true class counts K - 1 times
    (Serrurier et al. 2021, arXiv:2006.06520; deel-torchlip's ``HKRMulticlassLoss``).

    Args:
        logits: ``(B, K)``, in units of the input.
        label: true classes, int64 ``(B,)``.
        alpha: weight of the hinge, in ``[0, 1]``.
        min_margin: m, the smallest gap between a class and the others for which the hinge is 0, in units of the input.

    Raises:
        XaiboardError: there is not one integer label for each row of logits.
    """
    _check(logits, label)
    classes = logits.shape[1]
    true = one_hot(label, classes).bool()
    hinge = _hinge(logits, true, min_margin)
    hinge = torch.where(true, (classes - 1) * hinge, hinge).mean()
    return alpha * hinge - (1 - alpha) * _transport(logits, true).mean()


def soft_hkr(
    logits: Tensor, label: Tensor, sharpness: Tensor | float, *, alpha: float = 0.9, min_margin: float = 1.0
) -> Tensor:
    """Soft hKR loss of each sample, ``(B,)``: a softmax weights the classes other than the true one.

    With ``S = softmax over k != y of sharpness * f_k``, through which gradients flow too::

        (1 - alpha) (sum_k S_k f_k - f_y) + alpha (relu(m/2 - f_y) + sum_k S_k relu(m/2 + f_k))

    Serrurier et al. 2023, arXiv:2206.06854, section 3; margin and weight as in deel-torchlip.

    Args:
        logits: ``(B, K)``, in units of the input.
        label: true classes, int64 ``(B,)``.
        sharpness: factor of the logits in the softmax, a scalar; the larger, the more the largest logit counts alone.
        alpha: weight of the hinge, in ``[0, 1]``; the paper's lambda is ``alpha / (1 - alpha)``.
        min_margin: m, the smallest gap between the true class and another for which the hinge is 0, in units of the
            input.

    Raises:
        XaiboardError: there is not one integer label for each row of logits.
    """
    _check(logits, label)
    true = one_hot(label, logits.shape[1]).bool()
    weight = (sharpness * logits).masked_fill(true, -math.inf).softmax(1)
    own = logits[true]
    transport = (weight * logits).sum(1) - own
    hinge = relu(min_margin / 2 - own) + (weight * relu(min_margin / 2 + logits)).sum(1)
    return (1 - alpha) * transport + alpha * hinge


class SoftHKR(nn.Module):
    """Mean of :func:`soft_hkr` over a batch, with a softmax that becomes less sharp as the logits grow.

    The sharpness is ``temperature * m / max(mean, m)``, clipped to ``[0.005, 250]``, where ``mean`` is the running
    mean of ``|logits|``. It is a buffer, which is updated in training mode only.

    Args:
        alpha: weight of the hinge, in ``[0, 1]``.
        min_margin: m, in units of the input, > 0.
        temperature: sharpness of the softmax as long as the logits are on average smaller than the margin.
        decay: weight of the old value in an update of the running mean, in ``[0, 1]``.
    """

    mean: Tensor

    def __init__(
        self, *, alpha: float = 0.9, min_margin: float = 1.0, temperature: float = 1.0, decay: float = 0.99
    ) -> None:
        super().__init__()
        self.alpha, self.min_margin = alpha, min_margin
        self.temperature, self.decay = temperature, decay
        self.register_buffer("mean", torch.tensor(float(min_margin)))

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """The loss, a scalar, for ``logits`` ``(B, K)`` and ``label`` ``(B,)``."""
        mean = self.decay * self.mean + (1 - self.decay) * logits.detach().abs().mean()
        if self.training:
            self.mean = mean.clamp(0.005, 1000)
        sharpness = (self.temperature * self.min_margin / mean.clamp_min(self.min_margin)).clamp(0.005, 250)
        return soft_hkr(logits, label, sharpness, alpha=self.alpha, min_margin=self.min_margin).mean()


def _hinge(score: Tensor, positive: Tensor, min_margin: float) -> Tensor:
    """``relu(m/2 - y f)`` with y = 1 where ``positive`` and -1 elsewhere, shaped like ``score``."""
    return relu(min_margin / 2 - torch.where(positive, score, -score))


def _transport(score: Tensor, positive: Tensor) -> Tensor:
    """Mean score of the positive samples minus that of the others, over the first axis; the mean of none is 0."""
    own = (score * positive).sum(0) / positive.sum(0).clamp_min(1)
    return own - (score * ~positive).sum(0) / (~positive).sum(0).clamp_min(1)


def _check(logits: Tensor, label: Tensor) -> None:
    if label.shape != logits.shape[:1] or label.is_floating_point():
        # torch would not complain: one-hot labels (B, K) are broadcast if B = K, and give a wrong loss.
        raise XaiboardError(
            f"the hKR loss needs one integer label for each of {len(logits)} rows of logits; got"
            f" {label.dtype} shaped {tuple(label.shape)}"
        )
