"""Sobel edges: a control that knows the image, but not the model."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ..components.decorators import method
from ..errors import XaiboardError


@method(source="control; Adebayo et al. 2018, arXiv:1810.03292", control=True, images=True)
def sobel(x: Tensor) -> Tensor:
    """Magnitude of the brightness gradient, ``(B, C, H, W)``, shared equally by the channels.

    Brightness is the mean over channels; its gradient is in units of ``x`` per pixel. The image is continued beyond the
    border by its border pixels, so that the border is no edge. The sum over channels is the magnitude.

    Args:
        x: images, ``(B, C, H, W)``.

    Raises:
        XaiboardError: ``x`` is no image.
    """
    if x.dim() != 4:
        raise XaiboardError(f"method 'sobel' needs images (B, C, H, W), got {tuple(x.shape)}; leave it out")
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]).to(x) / 8
    kernels = torch.stack([across, across.T])[:, None]
    gradient = conv2d(pad(x.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate"), kernels)
    return gradient.norm(dim=1, keepdim=True).expand_as(x) / x.shape[1]
