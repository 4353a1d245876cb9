"""Centred Gaussian: a control that knows only that objects tend to be in the middle."""

import torch
from torch import Tensor

from ..components.decorators import method
from ..errors import XaiboardError
from ..toolkit.ranges import Positive


@method(
    source="control; Judd et al. 2009, doi:10.1109/ICCV.2009.5459462, centre prior", control=True, images=True
)
def gaussian(x: Tensor, *, sigma: Positive = 0.25) -> Tensor:
    """Gaussian of height 1 in the middle of every image, ``(B, C, H, W)``, shared equally by the channels.

    It costs no pass.

    Args:
        x: images; only their shape matters.
        sigma: standard deviation of the Gaussian, as a share of the image's height and of its width.

    Raises:
        XaiboardError: ``x`` is no image.
    """
    if x.dim() != 4:
        raise XaiboardError(
            f"method 'gaussian' needs images (B, C, H, W), got {tuple(x.shape)}; leave it out"
        )
    down, across = (_bump(size, sigma) for size in x.shape[2:])
    return torch.outer(down, across).to(x).expand_as(x) / x.shape[1]


def _bump(size: int, sigma: float) -> Tensor:
    """Gaussian of the distance from the middle, with height 1, ``(size,)``."""
    distance = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) / size
    return (-0.5 * (distance / sigma) ** 2).exp()
