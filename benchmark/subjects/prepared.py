"""A network with its preprocessing inside: images in [0, 1] in, logits out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, interpolate

from ..toolkit.preprocessing import Preprocessing


class Prepared(nn.Module):
    """Normalises images as a network wants them; those of another size are resized to its own, bilinearly.

    Nothing is cut away here: a map is one of the whole image. Data sets cut images before
    (:meth:`Preprocessing.prepared`).

    Args:
        network: the network; it may return a structure with ``logits``.
        preprocessing: what it wants.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, network: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.network = network
        self.preprocessing = preprocessing
        self.size = preprocessing.size
        self.register_buffer("mean", torch.tensor(preprocessing.mean))
        self.register_buffer("variance", torch.tensor(preprocessing.std) ** 2)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, K)`` of images ``(B, C, H, W)`` in ``[0, 1]``."""
        if x.shape[2:] != self.size:
            x = interpolate(x, self.size, mode="bilinear", antialias=True)
        # not (x - mean) / std: that batch normalisation is linear, every method with rules for layers knows
        output = self.network(batch_norm(x, self.mean, self.variance, eps=0))
        return getattr(output, "logits", output)
