"""JPEG size: how well the map compresses."""

from io import BytesIO
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.errors import SettingError
from ..benchmark.toolkit.pixels import RESOLUTION

Normalisation = Literal["magnitude", "range"]


@metric(
    family="complexity",
    higher_is_better=False,
    across_models=True,
    source="Serrurier et al. 2023, arXiv:2206.06854",
)
def jpeg_size(
    attribution: Tensor, *, quality: int = 90, normalisation: Normalisation = "magnitude"
) -> Tensor:
    """Bytes of the map as a grey baseline JPEG, header included, ``(B,)``; fewer is simpler.

    A stand-in for Kolmogorov's complexity. The channel sum is put on 256 levels of grey: ``magnitude``, from 0 to
    its largest magnitude, the sign is dropped; or ``range``, from its least to its greatest value. A constant map is
    all white, with ``range`` all black, as an all-zero map is: header and little else, 344 bytes for 28 x 28 pixels.
    The header is the same for all maps of a shape, and much of a small map's size. Another version of the JPEG library
    may change a size by some bytes. The paper gives neither quality nor normalisation.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``, which is an image of one row.
        quality: of the compression, from 1 to 95, on Pillow's scale.
        normalisation: what becomes black, and what white.

    Raises:
        XaiboardError: ``quality`` is out of range.
    """
    if not 1 <= quality <= 95:
        raise SettingError(f"setting 'quality' of 'jpeg_size' must be from 1 to 95; got '{quality}'")
    images = _grey(attribution, normalisation).cpu().numpy()
    sizes = [_size(image, quality) for image in images]  # Pillow takes one image at a time, on the CPU
    return torch.tensor(sizes).to(attribution)


def _grey(attribution: Tensor, normalisation: Normalisation) -> Tensor:
    """Levels of grey, uint8 ``(B, H, W)``; a map that is constant but for floating-point noise is constant."""
    total = attribution.sum(1) if attribution.dim() > 2 else attribution[:, None]
    values = total.abs() if normalisation == "magnitude" else total - total.amin((1, 2), keepdim=True)
    highest = values.amax((1, 2), keepdim=True)
    noise = RESOLUTION * total.abs().amax((1, 2), keepdim=True)
    return (255 * torch.where(highest > noise, values / highest, 0.0)).round().to(torch.uint8)


def _size(image: np.ndarray, quality: int) -> int:
    file = BytesIO()
    # Fixed, so that another default of another Pillow changes nothing.
    Image.fromarray(image).save(file, "JPEG", quality=quality, optimize=False, progressive=False)
    return file.tell()
