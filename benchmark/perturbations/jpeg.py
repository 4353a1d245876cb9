"""JPEG compression."""

from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..components.decorators import perturbation
from ..errors import SettingError, XaiboardError
from ..toolkit.checks import need_images


@perturbation(source="Hendrycks & Dietterich 2019, arXiv:1903.12261")
def jpeg(x: Tensor, *, quality: int = 50) -> Tensor:
    """``x`` in eight bits, compressed as JPEG and read again, shaped like ``x``.

    Args:
        x: grey or RGB images in ``[0, 1]``, ``(B, C, H, W)``.
        quality: of the compression, from 1 to 95; the colour of RGB images has half the resolution.

    Raises:
        XaiboardError: ``quality`` is out of range, or the inputs are neither grey nor RGB images.
    """
    if not 1 <= quality <= 95:
        raise SettingError(f"setting 'quality' of 'jpeg' must be from 1 to 95; got '{quality}'")
    need_images(x, "jpeg")
    if x.shape[1] not in {1, 3}:
        raise XaiboardError(f"'jpeg' needs grey or RGB images; got {x.shape[1]} channels")
    bytes_ = (x * 255).round().clamp(0, 255).to(torch.uint8).movedim(1, -1).cpu().numpy()
    read = np.stack([_compressed(image, quality) for image in bytes_])  # Pillow takes one image at a time
    return (torch.from_numpy(read).to(x) / 255).movedim(-1, 1).contiguous()


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    """An image ``(H, W, C)`` after compression, in bytes."""
    grey = image.shape[2] == 1
    file = BytesIO()
    # Fixed, so that another default of another Pillow changes nothing.
    Image.fromarray(image[..., 0] if grey else image).save(
        file, "JPEG", quality=quality, subsampling="4:2:0", optimize=False, progressive=False
    )
    return np.asarray(Image.open(file)).reshape(image.shape)
