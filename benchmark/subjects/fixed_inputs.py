"""Computes the numbers that stand for a network or a function, and how far rounding may move them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from math import isfinite

import torch
from torch import Tensor, nn

from ..toolkit.rng import SampleRng
from .logits import usual_variation
from .outputs import ROUNDING, SHAKEN, Column, Outputs
from .shaking import Shaker

DRAWN, REAL = 4, 4
"""How many of the inputs are random numbers, and how many are the first samples of the data."""

WITNESSES = 2
"""How many of the random inputs tell, cell by cell, whether a network is still the same."""

WAVES = 4
"""How many sums with weights are kept of the gradient, or of an attribution, of an input."""

CANCELLED = 0.01
"""The slope of a class whose logits are the small differences of large numbers, as part of what a usual one varies."""


def network_outputs(module: nn.Module, x: Tensor) -> Outputs | None:
    """What a network computes for random inputs and for real ones; None if it raises, or gives no finite numbers.

    The numbers are its logits, class by class, and sums of their gradient; then, computed without gradients, its logits
    for images that are dark, bright, half erased, or outside of ``[0, 1]``. Rounding is imitated in the inputs and in
    what each layer returns.

    Args:
        module: the network, in eval mode.
        x: samples, ``(N, ...)``, of its dtype and on its device.
    """
    drawn = _drawn(x)
    inputs = torch.cat([drawn, x[:REAL]]).detach()
    dtype = _coarsest([inputs, *module.parameters(), *module.buffers()])
    unusual = [
        columns
        for images in _unusual(drawn[:1], x[:1])
        for columns in _measured(_rough_logits, module, images, dtype)
    ]
    for compute in (
        _logits_and_gradient,
        _logits,
    ):  # not everything that can be explained can be differentiated
        if found := _measured(compute, module, inputs, dtype):
            return _outputs([*found, *unusual], dtype, inputs.device)
    return None


def _measured(
    compute: Callable[[nn.Module, Tensor], list[Tensor]], module: nn.Module, inputs: Tensor, dtype: str
) -> list[list[Column]]:
    """The columns of each table that ``compute`` returns, the first of which are logits; none if it raises."""
    shaker = Shaker(SHAKEN[dtype])
    with suppress(Exception):  # the cells report what is wrong
        tables, shaken = compute(module, inputs), None
        with suppress(Exception), shaker.layers(module):
            shaken = compute(module, shaker(inputs))
        logits, *others = _columns(tables, shaken, dtype)
        least = CANCELLED * float(usual_variation(tables[0]))
        return [[each._replace(slope=max(each.slope, least)) for each in logits], *others]
    return []


@torch.no_grad()
def still_computes(module: nn.Module, x: Tensor, known: Outputs) -> bool:
    """Whether a network's logits are those that :func:`network_outputs` found: one pass with two of the inputs.

    Args:
        module: the network, in eval mode.
        x: the samples that were given then.
        known: what was found then.
    """
    try:
        table = module(_drawn(x)[:WITNESSES]).double()
    except Exception:  # whatever a network may raise that it did not raise then
        return False
    now = tuple(Column(tuple(each.tolist()), 0.0) for each in table.T)
    then = tuple(each._replace(numbers=each.numbers[:WITNESSES]) for each in known.columns[: len(now)])
    return bool(table.isfinite().all()) and replace(known, columns=then).agrees_with(
        replace(known, columns=now)
    )


def function_outputs(compute: Callable[[Shaker | None], Tensor], dtype: str) -> Outputs | None:
    """Numbers of what a function returns; None if they are not finite.

    Args:
        compute: what returns them, ``(B, columns)``. It is called with None, then with what shakes all that goes into
            the function.
        dtype: of the computation.
    """
    table, shaken = compute(None), None
    with suppress(Exception):
        shaken = [compute(Shaker(SHAKEN[dtype]))]
    return _outputs(_columns([table], shaken, dtype), dtype, table.device)


def sums(values: Tensor) -> Tensor:
    """Sums of ``values``, ``(B, ...)``, over each input: of their sizes, and with fixed weights; ``(B, WAVES + 1)``."""
    flat = values.detach().double().flatten(1)
    place = torch.arange(1, flat.shape[1] + 1, dtype=torch.float64, device=flat.device)
    waves = [torch.cos(place * (number + 1) * 0.7548776662) for number in range(WAVES)]
    return torch.cat([flat.abs().sum(1, keepdim=True), flat @ torch.stack(waves, 1)], 1)


def _drawn(x: Tensor) -> Tensor:
    """Inputs of random numbers, of the shape and dtype of ``x`` and on its device."""
    return SampleRng(0, range(DRAWN), "fixed inputs").uniform(x[:1].expand(DRAWN, *x.shape[1:]))


def _unusual(drawn: Tensor, real: Tensor) -> list[Tensor]:
    """Batches of images in ``[0, 1]`` and outside of it, from a random and a real one."""
    half = real.flatten(1).clone()
    half[:, : half.shape[1] // 2] = 0
    inside = [torch.zeros_like(real), torch.ones_like(real), half.view_as(real), real / 10, real, drawn]
    return [torch.cat(inside), torch.cat([real - 0.5, 2 * real])]


@torch.no_grad()
def _logits(module: nn.Module, inputs: Tensor) -> list[Tensor]:
    return [module(inputs.clone())]  # a copy: the network may change it in place


def _rough_logits(module: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Logits with 0 for what is not finite, as it may be for unusual images."""
    return [torch.nan_to_num(each, 0, 0, 0) for each in _logits(module, inputs)]


@torch.enable_grad()
def _logits_and_gradient(module: nn.Module, inputs: Tensor) -> list[Tensor]:
    leaf = inputs.clone().requires_grad_()
    logits = module(leaf.clone())
    weight = torch.cos(torch.arange(logits.shape[1], device=logits.device)).to(logits)
    # Of the random inputs alone: in real images there are ties, which rounding decides.
    gradient = torch.autograd.grad((logits * weight).sum(), leaf)[0][:DRAWN]
    return [logits.detach(), sums(gradient)]


def _columns(tables: Sequence[Tensor], shaken: Sequence[Tensor] | None, dtype: str) -> list[list[Column]]:
    """The columns of each table, ``(N, columns)``; with their own size for slope where that was not measured."""
    found = []
    for number, table in enumerate(tables):
        values = table.double()
        slope = values.abs().amax(0)
        if shaken is not None and shaken[number].isfinite().all():
            slope = (shaken[number].double() - values).square().mean(0).sqrt() / SHAKEN[dtype]
        found.append(
            [Column(tuple(each.tolist()), float(size)) for each, size in zip(values.T, slope, strict=True)]
        )
    return found


def _outputs(tables: Iterable[Sequence[Column]], dtype: str, device: torch.device) -> Outputs | None:
    columns = [column for table in tables for column in table]
    finite = all(isfinite(value) for column in columns for value in (column.slope, *column.numbers))
    return Outputs(tuple(columns), dtype, device.type) if columns and finite else None


def _coarsest(tensors: Iterable[Tensor]) -> str:
    """The dtype of the tensors with the strongest rounding."""
    dtypes = {str(each.dtype).removeprefix("torch.") for each in tensors} & set(ROUNDING)
    return max(dtypes, key=ROUNDING.__getitem__)
