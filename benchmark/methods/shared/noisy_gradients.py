"""Gradients at noisy copies of the input."""

from collections.abc import Iterator

import captum.attr
from torch import Tensor, nn

from ...toolkit.rng import SampleRng


def noisy_gradients(
    model: nn.Module, x: Tensor, target: Tensor, rng: SampleRng, draws: int, sigma: float
) -> Iterator[Tensor]:
    """Gradients of the target's logit at ``draws`` noisy copies of ``x``, each shaped like ``x``."""
    gradient = captum.attr.Saliency(model).attribute
    # not captum's NoiseTunnel, which draws from the global stream, so that its result depends on the batch
    for _ in range(draws):
        yield gradient((x + rng.normal(x, sigma)).requires_grad_(), target, abs=False)
