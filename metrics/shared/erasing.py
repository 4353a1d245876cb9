"""Erases or inserts pixels in a given order, with values that are fixed or imputed from the pixels that are left."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import torch
from torch import Tensor, nn

from ...benchmark.toolkit.data import Reference
from ...benchmark.toolkit.pixels import channels
from ...benchmark.toolkit.ranges import AsksFor
from ...benchmark.toolkit.rng import SampleRng
from .baselines import BLUR, baseline_image
from .imputation import NOISE, impute, mean_colour

Removal = Annotated[
    Literal["zero", "mean", "blur", "imputed"],
    AsksFor("reference", "mean", "imputed"),
    AsksFor("images", "blur", "imputed"),
]


class Blank(NamedTuple):
    """What pixels become when they are erased.

    Args:
        image: the input with all pixels erased, shaped like the input.
        noise: noise that is added to imputed pixels, shaped like the input. None if pixels are not imputed, but become
            those of ``image``.
    """

    image: Tensor
    noise: Tensor | None = None

    @property
    def erased(self) -> Tensor:
        """The input with all pixels erased, with its noise."""
        return self.image if self.noise is None else self.image + self.noise


def blank(
    x: Tensor, reference: Reference | None, baseline: Removal, rng: SampleRng, blur: float = BLUR
) -> Blank:
    """What the pixels of ``x`` become when they are erased; random numbers are drawn only for imputed pixels.

    Raises:
        XaiboardError: the baseline is not available.
    """
    if baseline == "imputed":
        return Blank(mean_colour(x, reference), rng.normal(x, NOISE))
    return Blank(baseline_image(x, reference, baseline, blur))


def logits_along(
    model: nn.Module, x: Tensor, gone: Blank, order: Tensor, points: Sequence[int], *, insert: bool = False
) -> list[Tensor]:
    """Logits ``(B, K)`` at each of ``points``, numbers of pixels: without so many first pixels of ``order (B, P)``.

    With ``insert``, logits of the inputs that have only these pixels.
    """
    if gone.noise is None:
        start, end = (gone.image, x) if insert else (x, gone.image)
        return replace_in_order(model, start, end, order, points)
    return [model(each) for each in _imputed_in_order(x, gone.image, gone.noise, order, points, insert)]


def replace_in_order(
    model: nn.Module, start: Tensor, end: Tensor, order: Tensor, points: Sequence[int]
) -> list[Tensor]:
    """Logits ``(B, K)`` at each of ``points``, numbers of pixels, while ``start`` is turned into ``end``.

    At each point, so many first pixels of ``order (B, P)`` are those of ``end``. Between two forward passes only the
    pixels that change are written.
    """
    current = start.clone(memory_format=torch.contiguous_format)
    pixels, index = channels(current), order[:, None].expand_as(channels(end))
    values = channels(end).gather(2, index)
    logits, done = [], 0
    for point in points:
        pixels.scatter_(2, index[..., done:point], values[..., done:point])
        logits.append(model(current))
        done = point
    return logits


def _imputed_in_order(
    x: Tensor, colour: Tensor, noise: Tensor, order: Tensor, points: Sequence[int], insert: bool
) -> Iterator[Tensor]:
    """Imputed inputs at each of ``points``; each one is the first guess for the next."""
    filled = None
    for point in points:
        first = torch.zeros_like(order, dtype=torch.bool).scatter(1, order[:, :point], value=True)
        missing = ~first if insert else first
        filled = impute(x, missing, colour, filled)
        yield torch.where(missing.view(len(x), 1, *x.shape[2:]), filled + noise, filled)
