"""JPEG size: how well the map compresses."""

from io import BytesIO
from math import inf
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.pixels import RESOLUTION
from ..benchmark.toolkit.ranges import JpegQuality

Normalisation = Literal["magnitude", "range"]


@metric(
    family="complexity",
    higher_is_better=False,
    across_models=True,
    range=(0, inf),
    source="Serrurier et al. 2023, arXiv:2206.06854",
    images=True,
)
def jpeg_size(
    attribution: Tensor, *, quality: JpegQuality = 90, normalisation: Normalisation = "magnitude"
) -> Tensor:
    """Size in bytes of the map as a grey baseline JPEG, header included, ``(B,)``; smaller is simpler.

    It stands in for Kolmogorov complexity. The sum over channels is put on 256 levels of grey, in one of two ways.
    ``magnitude`` drops the sign, and black is 0, white the largest magnitude. With ``range``, black is the smallest
    value, white the largest. A constant map is all white (with ``range`` all black), and an all-zero map all black:
    they take little more than the header, 344 bytes for 28 x 28 pixels. The header is the same for all maps of a shape,
    and a large part of the size of a small map. Another version of the JPEG library may change a size by a few bytes.
    The paper states neither quality nor normalisation.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``, which is an image of one row.
        quality: quality of the compression, on Pillow's scale.
        normalisation: which values become black and white.
    """
    images = _grey(attribution, normalisation).cpu().numpy()
    sizes = [_size(image, quality) for image in images]  # Pillow takes one image at a time, on the CPU
    return torch.tensor(sizes).to(attribution)


def _grey(attribution: Tensor, normalisation: Normalisation) -> Tensor:
    """Levels of grey, uint8 ``(B, H, W)``; maps that are constant up to floating-point noise count as constant."""
    total = attribution.sum(1) if attribution.dim() > 2 else attribution[:, None]
    values = total.abs() if normalisation == "magnitude" else total - total.amin((1, 2), keepdim=True)
    highest = values.amax((1, 2), keepdim=True)
    noise = RESOLUTION * total.abs().amax((1, 2), keepdim=True)
    return (255 * torch.where(highest > noise, values / highest, 0.0)).round().to(torch.uint8)


def _size(image: np.ndarray, quality: int) -> int:
    file = BytesIO()
    # every option is given, so that another version of Pillow with other defaults changes nothing
    Image.fromarray(image).save(file, "JPEG", quality=quality, optimize=False, progressive=False)
    return file.tell()
