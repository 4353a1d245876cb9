"""Uniform noise."""

from torch import Tensor

from ..components.decorators import perturbation
from ..toolkit.ranges import Radius
from ..toolkit.rng import SampleRng


@perturbation(source="Yeh et al. 2019, arXiv:1901.09392")
def uniform_noise(x: Tensor, rng: SampleRng, *, eps: Radius = 0.1) -> Tensor:
    """``x`` plus independent uniform noise from ``-eps`` to ``eps``, clamped to ``[0, 1]``, shaped like ``x``.

    Args:
        x: inputs in ``[0, 1]``.
        rng: random numbers of each sample.
        eps: largest size of the noise, in units of ``x``.
    """
    return (x + rng.uniform(x, -eps, eps)).clamp(0, 1)
