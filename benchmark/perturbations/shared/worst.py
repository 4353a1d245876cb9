"""The image with the worst map that an attack has met, among those whose prediction is unchanged."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Worst:
    """Keeps, for each sample, the image whose map agrees least with the map of ``x``.

    Args:
        x: the unchanged images; kept where no other map agrees less than theirs.
        logits: outputs for them, ``(B, K)``.
        attribution: their maps.
        agreement: how much a map agrees with theirs, ``(B,)``.
    """

    def __init__(
        self, x: Tensor, logits: Tensor, attribution: Tensor, agreement: Callable[[Tensor], Tensor]
    ) -> None:
        self.x = x.clone()
        self.predicted = logits.argmax(1)
        self._agreement = agreement
        self._lowest = agreement(attribution)

    def offer(self, x: Tensor, model: nn.Module, explain: Callable[[Tensor], Tensor]) -> Tensor:
        """Keeps the images whose prediction is unchanged and whose maps agree less than those kept so far.

        Args:
            x: images, one for each sample.
            model: classifier, to logits ``(B, K)``.
            explain: the attribution of any input by the attacked method.

        Returns:
            Whether the prediction of each image is unchanged, bool ``(B,)``.
        """
        agreement = self._agreement(explain(x))
        with torch.no_grad():
            held = model(x).argmax(1) == self.predicted
        better = held & (agreement < self._lowest)
        self._lowest = torch.where(better, agreement, self._lowest)
        self.x = torch.where(better.view(-1, *[1] * (x.dim() - 1)), x, self.x)
        return held
