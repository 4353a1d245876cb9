"""JPEG compression."""

from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..components.decorators import perturbation
from ..errors import XaiboardError
from ..toolkit.checks import need_images
from ..toolkit.ranges import JpegQuality


@perturbation(source="Hendrycks & Dietterich 2019, arXiv:1903.12261", images=True)
def jpeg(x: Tensor, *, quality: JpegQuality = 50) -> Tensor:
    """``x`` after rounding to eight bits and JPEG compression, shaped like ``x``.

    Args:
        x: grey or RGB images in ``[0, 1]``, ``(B, C, H, W)``.
        quality: quality of the compression, on Pillow's scale. The colour of RGB images is stored at half the
            resolution.

    Raises:
        XaiboardError: the inputs are neither grey nor RGB images.
    """
    need_images(x, "jpeg")
    if x.shape[1] not in {1, 3}:
        raise XaiboardError(f"'jpeg' needs grey or RGB images; got {x.shape[1]} channels")
    bytes_ = (x * 255).round().clamp(0, 255).to(torch.uint8).movedim(1, -1).cpu().numpy()
    read = np.stack([_compressed(image, quality) for image in bytes_])  # Pillow takes one image at a time
    return (torch.from_numpy(read).to(x) / 255).movedim(-1, 1).contiguous()


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    """An image of bytes, ``(H, W, C)``, after compression."""
    grey = image.shape[2] == 1
    file = BytesIO()
    # every option is given, so that another version of Pillow with other defaults changes nothing
    Image.fromarray(image[..., 0] if grey else image).save(
        file, "JPEG", quality=quality, subsampling="4:2:0", optimize=False, progressive=False
    )
    return np.asarray(Image.open(file)).reshape(image.shape)
