"""Absolute value: the attribution of another method without its sign."""

from torch import Tensor

from ..components.decorators import method


@method(source="variant; Adebayo et al. 2018, arXiv:1810.03292")
def absolute(attribution: Tensor, *, of: str = "saliency") -> Tensor:
    """Magnitude of each element of another method's attribution, shaped like it.

    It costs the passes of that method.

    Args:
        attribution: attribution by the other method, ``(B, C, H, W)`` or ``(B, F)``.
        of: name of the other method, which runs with its default settings and its own random numbers.
    """
    del of  # read by the engine, which supplies the attribution
    return attribution.abs()
