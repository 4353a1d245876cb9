"""Background images: training images that serve as baselines."""

from torch import Tensor

from ...errors import XaiboardError
from ...toolkit.data import Reference


def background(name: str, x: Tensor, reference: Reference | None) -> Tensor:
    """Background images for the method ``name`` on inputs ``x``, ``(M, C, H, W)``.

    Raises:
        XaiboardError: they are not known, or of another shape.
    """
    if reference is None:
        raise XaiboardError(f"method '{name}' needs the data set's background images; give reference=")
    if reference.samples.shape[1:] != x.shape[1:]:
        raise XaiboardError(
            f"method '{name}' needs background images shaped {tuple(x.shape[1:])},"
            f" got {tuple(reference.samples.shape[1:])}; use the reference of the same data set"
        )
    return reference.samples.to(x)
