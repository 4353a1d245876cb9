"""Blurred copy: the control that knows what another method knows, less its detail."""

import torch
from torch import Tensor

from ..components.decorators import method
from ..errors import XaiboardError
from ..toolkit.checks import positive


@method(source="control; Song et al. 2023, arXiv:2304.13836", control=True, roles=["blurred copy"])
def blurred(attribution: Tensor, *, of: str = "saliency", sigma: float = 2.0) -> Tensor:
    """Gaussian blur of another method's attribution, channel by channel, ``(B, C, H, W)``.

    Each value becomes the weighted mean of its surroundings. At the border the mean is taken over the pixels
    that there are, so that a constant map stays as it is. Costs the passes of the other method.

    Args:
        attribution: what the method gives, ``(B, C, H, W)``.
        of: name of the method, which runs with its default settings and its own random numbers.
        sigma: standard deviation of the Gaussian, in pixels.

    Raises:
        XaiboardError: ``sigma`` is not positive, or the attribution is no image.
    """
    del of  # read by the engine, which supplies the attribution
    positive("blurred", sigma=sigma)
    if attribution.dim() != 4:
        raise XaiboardError(
            f"method 'blurred' needs images (B, C, H, W), got {tuple(attribution.shape)}; leave it out"
        )
    rows, columns = (_weights(size, sigma, attribution) for size in attribution.shape[2:])
    return rows @ attribution @ columns.mT


def _weights(size: int, sigma: float, like: Tensor) -> Tensor:
    """Row i holds the weights of all positions in the mean at position i, ``(size, size)``."""
    position = torch.arange(size, device=like.device, dtype=torch.float64)
    weights = (-0.5 * ((position[:, None] - position) / sigma) ** 2).exp()
    return (weights / weights.sum(1, keepdim=True)).to(like)
