"""The hinge-regularised Kantorovich-Rubinstein loss, multiclass form with softmax weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, relu

from ..benchmark.errors import XaiboardError


def soft_hkr(
    logits: Tensor, label: Tensor, sharpness: Tensor | float, *, alpha: float = 0.9, min_margin: float = 1.0
) -> Tensor:
    """Loss of each sample, ``(B,)``.

    With ``S = softmax over k != y of sharpness * f_k`` (differentiated too)::

        (1 - alpha) (sum_k S_k f_k - f_y) + alpha (relu(m/2 - f_y) + sum_k S_k relu(m/2 + f_k))

    Serrurier et al. 2023, arXiv:2206.06854, section 3; margin and weight as in deel-torchlip.

    Args:
        logits: ``(B, K)``, in units of the input.
        label: true classes, int64 ``(B,)``.
        sharpness: of the softmax, per unit of logit.
        alpha: weight of the hinge, in ``[0, 1]``; the paper's lambda is ``alpha / (1 - alpha)``.
        min_margin: m, the gap between the true and another class from which on the hinge is 0.

    Raises:
        XaiboardError: labels that are not one class for each row.
    """
    if label.shape != logits.shape[:1] or label.is_floating_point():
        # One-hot rows would broadcast, and give a wrong number whenever B = K.
        raise XaiboardError(
            f"the hKR loss needs one integer label for each of {len(logits)} rows of logits; got"
            f" {label.dtype} shaped {tuple(label.shape)}"
        )
    true = one_hot(label, logits.shape[1]).bool()
    weight = (sharpness * logits).masked_fill(true, -math.inf).softmax(1)
    own = logits[true]
    transport = (weight * logits).sum(1) - own
    hinge = relu(min_margin / 2 - own) + (weight * relu(min_margin / 2 + logits)).sum(1)
    return (1 - alpha) * transport + alpha * hinge


class SoftHKR(nn.Module):
    """Mean of :func:`soft_hkr` over a batch; the softmax is as sharp as the logits are small.

    The sharpness is ``temperature * m / max(mean, m)``, clipped to ``[0.005, 250]``, where ``mean`` is the running
    mean of ``|logits|``: a buffer, which moves in training mode only.

    Args:
        alpha: weight of the hinge, in ``[0, 1]``.
        min_margin: m, in units of the input, > 0.
        temperature: sharpness of the softmax while the logits are below the margin.
        decay: of the running mean, in ``[0, 1]``.
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
