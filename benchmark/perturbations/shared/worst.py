"""The worst image so far, of those that are predicted as before."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Worst:
    """Keeps, for each sample, the image whose map agrees least with the map of ``x``.

    Args:
        x: the images to begin with; they stay where nothing agrees less than their own map does.
        logits: outputs for them, ``(B, K)``.
        attribution: their maps.
        agreement: of a map with theirs, ``(B,)``.
    """

    def __init__(
        self, x: Tensor, logits: Tensor, attribution: Tensor, agreement: Callable[[Tensor], Tensor]
    ) -> None:
        self.x = x.clone()
        self.predicted = logits.argmax(1)
        self._agreement = agreement
        self._lowest = agreement(attribution)

    def offer(self, x: Tensor, model: nn.Module, explain: Callable[[Tensor], Tensor]) -> Tensor:
        """Takes the images that are predicted as before and whose maps agree less; which are so predicted, ``(B,)``."""
        agreement = self._agreement(explain(x))
        with torch.no_grad():
            held = model(x).argmax(1) == self.predicted
        better = held & (agreement < self._lowest)
        self._lowest = torch.where(better, agreement, self._lowest)
        self.x = torch.where(better.view(-1, *[1] * (x.dim() - 1)), x, self.x)
        return held
