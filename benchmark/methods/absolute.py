"""Absolute value: how much each input matters to any method, whatever the sign."""

from torch import Tensor

from ..components.decorators import method


@method(source="variant; Adebayo et al. 2018, arXiv:1810.03292")
def absolute(attribution: Tensor, *, of: str = "saliency") -> Tensor:
    """Magnitude of another method's attribution, element by element, shaped like it.

    Costs the passes of that method.

    Args:
        attribution: what the method gives, ``(B, C, H, W)`` or ``(B, F)``.
        of: name of the method, which runs with its default settings and its own random numbers.
    """
    del of  # read by the engine, which supplies the attribution
    return attribution.abs()
