"""Mass-centre shift: how far the centre of mass of the map moves."""

from math import inf

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.pixels import magnitudes
from ..benchmark.toolkit.top_pixels import Arithmetic


@metric(
    family="stability",
    higher_is_better=False,
    range=(0, inf),
    source="Ghorbani et al. 2019, arXiv:1710.10547",
    images=True,
)
def mass_centre_shift(
    attribution: Tensor, perturbed_attribution: Tensor, *, reference: Arithmetic = "clean"
) -> Tensor:
    """Distance between the centres of mass of the two maps, in pixels, ``(B,)``.

    The mass of a pixel is the sum of its channels' magnitudes. The centre of an all-zero map, like that of a constant
    one, is the middle of the image.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        reference: ``clean``, or ``released`` for the released code, which truncates each centre to whole pixels.
    """
    centres = [mass_centre(a) for a in (attribution, perturbed_attribution)]
    if reference == "released":
        centres = [centre.trunc() for centre in centres]
    return vector_norm(centres[0] - centres[1], dim=1)


def mass_centre(attribution: Tensor) -> Tensor:
    """Row and column, counted from 0, of the centre of mass of the magnitudes, ``(B, 2)``."""
    mass = magnitudes(attribution)
    largest = mass.amax((1, 2), keepdim=True)
    mass = torch.where(largest > 0, mass / largest.clamp_min(torch.finfo(mass.dtype).tiny), 1.0)
    rows, columns = (torch.arange(side).to(mass) for side in mass.shape[1:])
    moments = torch.stack([mass.sum(2) @ rows, mass.sum(1) @ columns], 1)
    return moments / mass.sum((1, 2))[:, None]
