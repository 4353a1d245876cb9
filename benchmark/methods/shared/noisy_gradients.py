"""Gradients at noisy copies of the input."""

from collections.abc import Iterator

from torch import Tensor, nn

from ...toolkit.rng import SampleRng
from .gradient import gradient


def noisy_gradients(
    model: nn.Module, x: Tensor, target: Tensor, rng: SampleRng, draws: int, sigma: float
) -> Iterator[Tensor]:
    """Gradients of the target's logit at ``draws`` noisy copies of ``x``, each shaped like ``x``."""
    # not captum's NoiseTunnel, which draws from the global stream, so that its result depends on the batch
    for _ in range(draws):
        yield gradient(model, x + rng.normal(x, sigma), target)
