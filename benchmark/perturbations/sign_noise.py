"""Sign noise: every value moves by the same amount, up or down at random."""

from torch import Tensor

from ..components.decorators import perturbation
from ..toolkit.checks import radius
from ..toolkit.rng import SampleRng


@perturbation(source="Ghorbani et al. 2019, arXiv:1710.10547")
def sign_noise(x: Tensor, rng: SampleRng, *, eps: float = 0.1) -> Tensor:
    """``x`` plus or minus ``eps``, each element on its own, clamped to ``[0, 1]``, shaped like ``x``.

    Args:
        x: inputs in ``[0, 1]``.
        rng: random numbers of each sample.
        eps: radius in the sup norm, in units of ``x``, the range of a pixel being 1.

    Raises:
        XaiboardError: ``eps`` is outside ``[0, 1]``.
    """
    radius("sign_noise", eps)
    return (x + eps * rng.sign(x)).clamp(0, 1)
