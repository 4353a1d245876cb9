"""Spectral share: how much of a perturbation is fine detail, by the frequencies of the change."""

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Weighted
from ..benchmark.toolkit.ranges import NotNegative


@metric(
    family="perturbation",
    higher_is_better=False,
    across_models=True,
    range=(0, 1),
    source="Yin et al. 2019, arXiv:1906.08988; Woods et al. 2019, arXiv:1906.02896, for the claim; the share is the"
    " suite's own",
    images=True,
)
def spectral_share(x: Tensor, perturbed_x: Tensor, *, cycles: NotNegative = 8.0) -> dict[str, Weighted]:
    """Share of the energy of ``perturbed_x - x`` at more than ``cycles`` cycles per side of the image, ``(B,)``.

    In ``[0, 1]``; lower is better, as the paper's claim reads: adversarial explanations of robust networks are smooth
    shapes, and those of ordinary networks are noise. The paper shows pictures; this number for them is the suite's own.
    The energy is the squared magnitude of each channel's discrete Fourier transform, summed over channels. The
    frequency is radial: ``sqrt(u^2 + v^2)``, with ``u`` cycles over the height and ``v`` over the width of the image.
    The mean change has frequency 0. White noise on 28 x 28 pixels has a share of .75.

    Args:
        x: images, ``(B, C, H, W)``.
        perturbed_x: perturbed images, shaped like ``x``.
        cycles: frequencies up to this one are low. Images of ``H`` pixels have up to ``H / 2`` cycles along a side.

    Returns:
        The share. An image that is not changed has no frequencies, and no weight.
    """
    change = perturbed_x - x
    largest = change.abs().flatten(1).amax(1)
    scaled = change / largest.clamp_min(torch.finfo(change.dtype).tiny).view(-1, 1, 1, 1)
    energy = torch.fft.fft2(scaled).abs().square().sum(1)
    high = _radial_frequency(energy) > cycles
    beyond, within = ((energy * part).flatten(1).sum(1) for part in (high, ~high))
    changed = largest > 0
    share = beyond / (beyond + within).where(changed, 1.0)
    return {"": Weighted(share.where(changed, 0.0), changed.to(share))}


def _radial_frequency(energy: Tensor) -> Tensor:
    """Cycles per side at each place of a transform ``(B, H, W)``, ``(H, W)``; whole squares, so that 3, 4 gives 5."""
    down, across = (side * torch.fft.fftfreq(side, dtype=torch.float64) for side in energy.shape[1:])
    return (down.round()[:, None] ** 2 + across.round() ** 2).sqrt().to(energy.device)
