"""Gaussian noise."""

from torch import Tensor

from ..components.decorators import perturbation
from ..toolkit.checks import radius
from ..toolkit.rng import SampleRng


@perturbation(source="Ghorbani et al. 2019, arXiv:1710.10547; Hendrycks & Dietterich 2019, arXiv:1903.12261")
def gaussian_noise(x: Tensor, rng: SampleRng, *, eps: float = 0.1) -> Tensor:
    """``x`` plus Gaussian noise, each element on its own, clamped to ``[0, 1]``, shaped like ``x``.

    Args:
        x: inputs in ``[0, 1]``.
        rng: random numbers of each sample.
        eps: standard deviation, in units of ``x``; at black and white the clamp takes half of the noise away.

    Raises:
        XaiboardError: ``eps`` is outside ``[0, 1]``.
    """
    radius("gaussian_noise", eps)
    return (x + rng.normal(x, eps)).clamp(0, 1)
