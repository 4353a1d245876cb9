"""Random subsets of pixels: drawn once for all methods, and drawn again by whoever knows their key."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ...benchmark.errors import SettingError
from ...benchmark.toolkit.rng import SampleRng

KEYS = 2**24
"""Number of keys: the whole numbers that a float32 holds."""


def draw_keys(x: Tensor, rng: SampleRng) -> Tensor:
    """A random whole number for each sample, ``(B, 1)``, in the dtype of ``x``.

    The subsets themselves take more memory than the images. What is kept with the drops is their key, from which
    every method draws the same subsets again.
    """
    drawn = rng.uniform(torch.empty(len(x), 1, dtype=torch.float64))  # rounded, it would be another key
    return (drawn * KEYS).floor().to(x)


def drawn_by(keys: Tensor) -> SampleRng:
    """The stream of random numbers of each key, from its start."""
    return SampleRng(0, keys[:, 0].long().tolist(), "subsets")


def logit_of(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Logit of the target, ``(B, 1)``."""
    with torch.no_grad():
        return model(x).gather(1, target[:, None])


def drops(model: nn.Module, x: Tensor, target: Tensor, changed: Iterable[Tensor]) -> Tensor:
    """What the target's logit loses from ``x`` to each of the ``changed`` inputs, ``(B, draws)``."""
    before = logit_of(model, x, target)
    return torch.cat([before - logit_of(model, each, target) for each in changed], dim=1)


def over_channels(mask: Tensor, x: Tensor) -> Tensor:
    """A mask of pixels ``(B, P)`` in a shape that broadcasts over the channels of ``x``."""
    return mask if x.dim() == 2 else mask.view(len(x), 1, *x.shape[2:])


def proper_share(component: str, **settings: float) -> None:
    """Refuses settings that are not between 0 and 1, both excluded.

    Raises:
        SettingError: a setting is not.
    """
    for name, value in settings.items():
        if not 0 < value < 1:
            raise SettingError(
                f"setting '{name}' of '{component}' must be above 0 and below 1; got '{value:g}'"
            )
