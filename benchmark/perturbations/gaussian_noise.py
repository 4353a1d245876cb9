"""Gaussian noise."""

from torch import Tensor

from ..components.decorators import perturbation
from ..toolkit.ranges import Radius
from ..toolkit.rng import SampleRng


@perturbation(source="Ghorbani et al. 2019, arXiv:1710.10547; Hendrycks & Dietterich 2019, arXiv:1903.12261")
def gaussian_noise(x: Tensor, rng: SampleRng, *, eps: Radius = 0.1) -> Tensor:
    """``x`` plus independent Gaussian noise on every element, clamped to ``[0, 1]``, shaped like ``x``.

    Args:
        x: inputs in ``[0, 1]``.
        rng: random numbers of each sample.
        eps: standard deviation of the noise, in units of ``x``. At black and white pixels the clamp cuts half of it
            off.
    """
    return (x + rng.normal(x, eps)).clamp(0, 1)
