"""Lipschitz constants (L2 to L2): certified upper bounds, empirical lower bounds, certified radii, the audit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import XaiboardError
from ..toolkit.rng import SampleRng
from .layer_norms import computes_as, layer_norm
from .slopes import ascend, slope

TOLERANCE = 1e-4
"""How far above 1 the bound of a 1-Lipschitz network may come out: the rounding of float32 weights and gradients."""

RADII = (0.1, 0.25, 0.5, 1.0)
"""L2 radii, in units of ``x``, at which cards and audits state certified accuracy."""

CHUNK = 256
"""Images whose Jacobians are held in memory at once."""

PAIRS = 16
"""The ascent starts from so many pairs of different images, and from as many pairs next to the steepest images."""

NEAR = 0.1
"""L2 distance, in units of ``x``, between the steepest images and the copies with noise that they are paired with."""


@dataclass(frozen=True)
class Audit:
    """What is known of a network's Lipschitz constant.

    Args:
        upper: certified bound, from the layers; in logits per unit of ``x`` (L2).
        lower: the largest slope that was met, same unit.
    """

    upper: float
    lower: float

    @property
    def tightness(self) -> float:
        """``lower / upper``: 1 where the bound is known to be exact."""
        return self.lower / self.upper if self.upper > 0 else 1.0

    @property
    def consistent(self) -> bool:
        """Whether no slope exceeds the upper bound. One does if a layer claims a smaller constant than it has."""
        return self.lower <= self.upper * (1 + TOLERANCE)

    @property
    def passes(self) -> bool:
        """Whether the network is certified to be 1-Lipschitz, and no slope contradicts it."""
        return self.consistent and self.upper <= 1 + TOLERANCE


def audit(model: nn.Module, x: Tensor) -> Audit:
    """Upper bound for inputs of the size of ``x`` ``(B, C, H, W)``, and the largest slope found from these images.

    Raises:
        XaiboardError: a layer without a known bound.
    """
    return Audit(upper_bound(model, tuple(x.shape[1:])), lower_bound(model, x))


def lower_bound(model: nn.Module, x: Tensor) -> float:
    """The largest slope found in ``[0, 1]``, a lower bound of the Lipschitz constant.

    It is the maximum of the local slopes at the images ``x`` ``(B, C, H, W)`` and of the slopes between pairs, before
    and after gradient ascent. The ascent starts from pairs of the images, and from the steepest images paired with
    noisy copies of themselves. The noise is fixed, so the result is always the same.
    """
    local = local_lipschitz(model, x)
    steep = x[local.topk(min(PAIRS, len(x))).indices]
    noise = SampleRng(0, range(len(steep)), "lipschitz.lower_bound").normal(steep).flatten(1)
    near = steep + NEAR * (noise / noise.norm(dim=1, keepdim=True)).view_as(steep)
    spread = x[torch.linspace(0, len(x) - 1, 2 * PAIRS).long()]
    start = torch.cat([spread[:PAIRS], steep]), torch.cat([spread[PAIRS:], near.clamp(0, 1)])
    slopes = [slope(model, *start), slope(model, *ascend(model, *start))]
    return max(float(local.max()), float(torch.cat(slopes).max()))


def upper_bound(model: nn.Module, shape: tuple[int, ...]) -> float:
    """Certified bound of the Lipschitz constant: the product of the norms of all layers, computed in float64.

    Args:
        model: a (nested) ``nn.Sequential`` in eval mode, of layers that :func:`layer_norm` knows.
        shape: of one input, ``(C, H, W)``.

    Raises:
        XaiboardError: a layer has no known bound. A module other than a Sequential counts as one layer.
    """
    return _product(list(_layers(model)), shape)


def local_lipschitz(model: nn.Module, x: Tensor) -> Tensor:
    """Spectral norm of the Jacobian of the logits at each image of ``x`` ``(B, C, H, W)``, ``(B,)``.

    Each is a lower bound of the Lipschitz constant. Costs one forward and K backward passes for K classes.
    """
    return torch.cat([_jacobian_norm(model, part) for part in x.split(CHUNK)])


def certified_radius(model: nn.Module, logits: Tensor, shape: tuple[int, ...]) -> Tensor:
    """L2 radius around each input within which every input has the same prediction, in units of ``x``, ``(B,)``.

    ``min_j (f_top - f_j) / (L |w_top - w_j|)``, where L is the bound of all layers before the last one, and ``w_j`` is
    row j of the last one's weights. It is never smaller than ``(f_top - f_j) / (sqrt(2) L |W|)``, which follows from
    the bound of the whole network (Tsuzuku et al. 2018, arXiv:1802.04034). Valid up to the rounding of the logits.

    Args:
        model: a Sequential in eval mode, of layers that :func:`layer_norm` knows; the last one is Linear.
        logits: its output, ``(B, K)``.
        shape: of one input, ``(C, H, W)``.

    Raises:
        XaiboardError: the last layer is not Linear, or a layer has no known bound.
    """
    *body, head = _layers(model)
    if not isinstance(head, nn.Linear) or not computes_as(head, nn.Linear):
        raise XaiboardError(
            f"a certificate needs a model that ends in a Linear layer; this one ends in '{type(head).__name__}'"
        )
    weight = head.weight.detach().double()
    values, top = logits.double().max(1)
    gap = (values[:, None] - logits.double()).scatter(1, top[:, None], math.inf)
    reach = _product(body, shape) * (weight[top, None] - weight).norm(dim=2)
    radius = torch.where(gap > 0, gap / reach, 0)  # two equal rows of weights tie: 0 / 0
    return radius.amin(1).to(logits.dtype)


def _layers(model: nn.Module) -> Iterator[nn.Module]:
    """The layers of nested Sequentials, in the order in which an input passes through them."""
    if not computes_as(model, nn.Sequential):
        yield model
        return
    for child in model.children():
        yield from _layers(child)


@torch.no_grad()
def _product(layers: list[nn.Module], shape: tuple[int, ...]) -> float:
    """Product of the layers' norms. A blank image is passed through them to find the input shape of each."""
    parameter = next((p for layer in layers for p in layer.parameters()), torch.zeros(()))
    blank = torch.zeros(1, *shape, dtype=parameter.dtype, device=parameter.device)
    bound = 1.0
    for layer in layers:
        bound *= layer_norm(layer, tuple(blank.shape[1:]))
        blank = layer(blank)
    return bound


def _jacobian_norm(model: nn.Module, x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        columns = model(x).unbind(1)
        rows = [torch.autograd.grad(column.sum(), x, retain_graph=True)[0].flatten(1) for column in columns]
    jacobian = torch.stack(rows, 1).double()
    return torch.linalg.eigvalsh(jacobian @ jacobian.mT)[:, -1].clamp_min(0).sqrt().to(x.dtype)
