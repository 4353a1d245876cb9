"""What perturbations of images have in common."""

from torch import Tensor

from ..errors import XaiboardError


def need_images(x: Tensor, perturbation: str) -> None:
    """Refuses vectors.

    Raises:
        XaiboardError: ``x`` is not ``(B, C, H, W)``.
    """
    if x.dim() != 4:
        raise XaiboardError(f"'{perturbation}' needs images (B, C, H, W); got {tuple(x.shape)}")
