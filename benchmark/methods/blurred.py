"""Blurred copy: a control that has the information of another method without its detail."""

import torch
from torch import Tensor

from ..components.decorators import method
from ..errors import XaiboardError
from ..toolkit.per_side import in_proportion, sized
from ..toolkit.ranges import Positive


@method(
    source="control; Song et al. 2023, arXiv:2304.13836", control=True, roles=["blurred copy"], images=True
)
def blurred(attribution: Tensor, *, of: str = "saliency", sigma: Positive = in_proportion(2.0)) -> Tensor:
    """Gaussian blur of another method's attribution, each channel separately, ``(B, C, H, W)``.

    At the border the weighted mean is over the pixels in the image, so a constant map stays as it is. It costs the
    passes of the other method.

    Args:
        attribution: attribution by the other method, ``(B, C, H, W)``.
        of: name of the other method, which runs with its default settings and its own random numbers.
        sigma: standard deviation of the Gaussian, in pixels.

    Raises:
        XaiboardError: the attribution is no image.
    """
    del of  # read by the engine, which supplies the attribution
    if attribution.dim() != 4:
        raise XaiboardError(
            f"method 'blurred' needs images (B, C, H, W), got {tuple(attribution.shape)}; leave it out"
        )
    sigma = sized(sigma, attribution)
    rows, columns = (_weights(size, sigma, attribution) for size in attribution.shape[2:])
    return rows @ attribution @ columns.mT


def _weights(size: int, sigma: float, like: Tensor) -> Tensor:
    """Weights of all positions (columns) in the mean at each position (rows), ``(size, size)``."""
    position = torch.arange(size, device=like.device, dtype=torch.float64)
    weights = (-0.5 * ((position[:, None] - position) / sigma) ** 2).exp()
    return (weights / weights.sum(1, keepdim=True)).to(like)
