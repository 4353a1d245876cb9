"""Sign noise: every value moves by the same amount, up or down at random."""

from torch import Tensor

from ..components.decorators import perturbation
from ..toolkit.ranges import Radius
from ..toolkit.rng import SampleRng


@perturbation(source="Ghorbani et al. 2019, arXiv:1710.10547")
def sign_noise(x: Tensor, rng: SampleRng, *, eps: Radius = 0.1) -> Tensor:
    """``x`` plus or minus ``eps``, drawn for every element, clamped to ``[0, 1]``, shaped like ``x``.

    Args:
        x: inputs in ``[0, 1]``.
        rng: random numbers of each sample.
        eps: size of the change, in units of ``x``.
    """
    return (x + eps * rng.sign(x)).clamp(0, 1)
