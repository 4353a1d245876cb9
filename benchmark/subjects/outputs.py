"""What a network computes on a few fixed inputs: tells networks apart whose weights and code are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import XaiboardError
from ..toolkit.rng import SampleRng

DRAWN, REAL = 4, 4
"""How many of the inputs are random numbers, and how many are the first samples of the data."""

DIRECTIONS = 4
"""How many numbers are kept of the logits of an input."""

TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 0.05, "float16": 0.01}
"""By dtype, the part of the largest number by which rounding on another machine may change one."""

ON_GPU = 5e-3
"""The same for float32 if one of the two was computed on a GPU, where products may be rounded to 10 bits."""

STEEP = 100
"""How much more numbers may differ that rounding can change by a jump."""


@dataclass(frozen=True)
class Outputs:
    """Numbers that stand for what a network computes, or a function.

    Args:
        smooth: what rounding changes little: logits.
        steep: what rounding may change more, since it decides on which side of a kink a unit lies: gradients of the
            logits, or what a function gives.
        dtype: the coarsest one that took part.
        device: ``cpu`` or ``cuda``.
    """

    smooth: tuple[float, ...]
    steep: tuple[float, ...] = ()
    dtype: str = "float32"
    device: str = "cpu"

    def agrees_with(self, other: Outputs) -> bool:
        """Whether the two differ by no more than rounding."""
        tolerance = max(TOLERANCE[each.dtype] for each in (self, other))
        if "float32" in (self.dtype, other.dtype) and (self.device, other.device) != ("cpu", "cpu"):
            tolerance = max(tolerance, ON_GPU)
        return _close(self.smooth, other.smooth, tolerance) and _close(
            self.steep, other.steep, min(STEEP * tolerance, 0.1)
        )

    @property
    def plain(self) -> dict[str, object]:
        """The content as JSON can hold it."""
        smooth, steep = ([float(f"{value:.12g}") for value in values] for values in (self.smooth, self.steep))
        return {"smooth": smooth, "steep": steep, "dtype": self.dtype, "device": self.device}

    @staticmethod
    def read(plain: Mapping[str, Any]) -> Outputs:
        """The inverse of :attr:`plain`.

        Raises:
            XaiboardError: it is something else.
        """
        try:
            smooth, steep = (tuple(map(float, plain[name])) for name in ("smooth", "steep"))
            return Outputs(
                smooth, steep, {each: each for each in TOLERANCE}[plain["dtype"]], str(plain["device"])
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise XaiboardError(
                "'outputs' in run.json are not as they were written; restore the file, or give another folder"
            ) from None


def network_outputs(module: nn.Module, x: Tensor) -> Outputs | None:
    """What a network computes for random inputs and for real ones; None if it raises, or gives no finite numbers.

    Args:
        module: the network, in eval mode.
        x: samples, ``(N, ...)``, of its dtype and on its device.
    """
    drawn = SampleRng(0, range(DRAWN), "fixed inputs").uniform(x[:1].expand(DRAWN, *x.shape[1:]))
    inputs = torch.cat([drawn, x[:REAL]]).detach()
    tensors = [inputs, *module.parameters(), *module.buffers()]
    for differentiated in (True, False):  # not everything that can be explained can be differentiated
        with suppress(Exception), torch.set_grad_enabled(differentiated):  # the cells report what is wrong
            leaf = inputs.clone().requires_grad_(differentiated)
            logits = _project(module(leaf.clone()))  # a copy: the network may change it in place
            # Of the random inputs alone: in real images there are ties, which rounding decides.
            slopes = (
                _project(torch.autograd.grad(logits.sum(), leaf)[0][:DRAWN]) if differentiated else logits[:0]
            )
            return _read(logits, slopes, tensors)
    return None


def function_outputs(returned: Tensor) -> Outputs | None:
    """Numbers of what a function returned, ``(B, ...)``; None if they are not finite."""
    numbers = _project(returned)
    return _read(numbers[:0], numbers, [returned])


def _read(smooth: Tensor, steep: Tensor, tensors: Sequence[Tensor]) -> Outputs | None:
    """The outputs, if they are finite; ``tensors`` took part, and say how coarse they are, and where they were made."""
    dtypes = {str(each.dtype).removeprefix("torch.") for each in tensors} & set(TOLERANCE)
    numbers = torch.cat([smooth.flatten(), steep.flatten()]).detach()
    if not len(numbers) or not dtypes or not numbers.isfinite().all():
        return None
    smooth_numbers, steep_numbers = (tuple(each.flatten().tolist()) for each in (smooth, steep))
    return Outputs(
        smooth_numbers, steep_numbers, max(dtypes, key=TOLERANCE.__getitem__), tensors[0].device.type
    )


def _project(values: Tensor) -> Tensor:
    """Sums of ``values``, ``(B, ...)``, over each input with fixed weights, ``(B, DIRECTIONS)``."""
    flat = values.double().flatten(1) if values.ndim > 1 else values.double()[:, None]
    place = torch.arange(1, flat.shape[1] + 1, dtype=torch.float64, device=flat.device)
    waves = [torch.cos(place * (direction + 1) * 0.7548776662) for direction in range(DIRECTIONS)]
    return flat @ torch.stack(waves, 1)


def _close(one: tuple[float, ...], other: tuple[float, ...], tolerance: float) -> bool:
    """Whether two lists differ by at most ``tolerance`` times the largest number in them."""
    if len(one) != len(other):
        return False
    largest = max((abs(value) for value in (*one, *other)), default=0.0)
    return all(abs(a - b) <= tolerance * largest for a, b in zip(one, other, strict=True))
