"""Lipschitz constants (L2 to L2): certified upper bounds, empirical lower bounds, certified radii, the audit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import XaiboardError
from ..toolkit.rng import SampleRng
from .slopes import ascend, slope

TOLERANCE = 1e-4
"""How far above 1 a measured bound may lie: what float32 weights and float32 gradients lose."""

RADII = (0.1, 0.25, 0.5, 1.0)
"""L2 radii, in units of ``x``, at which cards and audits state certified accuracy."""

CHUNK = 256
"""Images whose Jacobians are held at once."""

PAIRS = 16
"""Pairs of images far apart, and as many near the steepest images, from which the ascent starts."""

NEAR = 0.1
"""L2 distance of a near pair, in units of ``x``."""

_NON_EXPANSIVE = (nn.Identity, nn.Flatten, nn.Unflatten, nn.ReLU, nn.Tanh, nn.Softplus)
_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
_NORMALISATION = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_KNOWN = (
    *(nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.MaxPool2d),
    *(*_NON_EXPANSIVE, *_DROPOUT, *_NORMALISATION),
)


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
        """Whether no slope contradicts the upper bound, as it does where a layer claims too little."""
        return self.lower <= self.upper * (1 + TOLERANCE)

    @property
    def passes(self) -> bool:
        """Whether the network is 1-Lipschitz and nothing contradicts it."""
        return self.consistent and self.upper <= 1 + TOLERANCE


def audit(model: nn.Module, x: Tensor) -> Audit:
    """Upper bound at the size of ``x`` ``(B, C, H, W)``, and the largest slope that is found from these images.

    Raises:
        XaiboardError: a layer without a known bound.
    """
    return Audit(upper_bound(model, tuple(x.shape[1:])), lower_bound(model, x))


def lower_bound(model: nn.Module, x: Tensor) -> float:
    """The largest slope met in ``[0, 1]``: at the images ``x`` ``(B, C, H, W)``, or between two found from them.

    The ascent starts from pairs of images, and from the steepest images with a little noise; always the same.
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
    """Product of the norms of the layers of a (nested) ``nn.Sequential``, float64.

    Args:
        model: in eval mode; layers as in :func:`layer_norm`.
        shape: of one input, ``(C, H, W)``.

    Raises:
        XaiboardError: a layer without a known bound, which every module that is not a Sequential is.
    """
    return _product(list(_layers(model)), shape)


def layer_norm(layer: nn.Module, shape: tuple[int, ...]) -> float:
    """Bound of a layer's Lipschitz constant for one input of ``shape``, exact but for convolutions, float64.

    A layer of another kind says its own: a numeric attribute ``lipschitz``. Convolutions: the largest singular
    value over the frequencies of a torus (Sedghi et al. 2019, arXiv:1805.10408), which is an upper bound here:
    on a torus of ``H + k - 1`` by ``W + k - 1`` nothing wraps around onto the image, so the zero-padded
    convolution is a part of the circular one, and a stride only drops rows of it.

    Raises:
        XaiboardError: no bound is known.
    """
    if isinstance(layer, (*_NORMALISATION, *_DROPOUT)) and layer.training:
        raise XaiboardError(f"layer '{type(layer).__name__}' is in training mode; call model.eval() first")
    bound = _known_norm(layer, shape)
    if bound is None:
        bound = getattr(layer, "lipschitz", None)
    if not isinstance(bound, (int, float)) or not bound >= 0:
        raise XaiboardError(
            f"layer '{type(layer).__name__}' has no known Lipschitz bound; use a Sequential of Linear, Conv2d (zero"
            " padding), ReLU and pooling without overlap, or give the layer a number 'lipschitz'"
        )
    return float(bound)


def local_lipschitz(model: nn.Module, x: Tensor) -> Tensor:
    """Spectral norm of the Jacobian of the logits at each ``x`` ``(B, C, H, W)``, ``(B,)``.

    A lower bound of the Lipschitz constant. Costs one forward and K backward passes.
    """
    return torch.cat([_jacobian_norm(model, part) for part in x.split(CHUNK)])


def certified_radius(model: nn.Module, logits: Tensor, shape: tuple[int, ...]) -> Tensor:
    """L2 radius around each input within which no input has another prediction, in units of ``x``, ``(B,)``.

    ``min_j (f_top - f_j) / (L |w_top - w_j|)``, where L bounds the layers before the last one and w are the rows
    of the last one: never below ``(f_top - f_j) / (sqrt(2) L |W|)``, what the norm of the whole network gives
    (Tsuzuku et al. 2018, arXiv:1802.04034). Valid up to the rounding of the logits.

    Args:
        model: a Sequential, in eval mode, that ends in a Linear layer; layers as in :func:`layer_norm`.
        logits: its output, ``(B, K)``.
        shape: of one input, ``(C, H, W)``.

    Raises:
        XaiboardError: the last layer is not Linear, or a layer has no known bound.
    """
    *body, head = _layers(model)
    if not isinstance(head, nn.Linear) or not _is(head, nn.Linear):
        raise XaiboardError(
            f"a certificate needs a model that ends in a Linear layer; this one ends in '{type(head).__name__}'"
        )
    weight = _double(head.weight)
    values, top = logits.double().max(1)
    gap = (values[:, None] - logits.double()).scatter(1, top[:, None], math.inf)
    reach = _product(body, shape) * (weight[top, None] - weight).norm(dim=2)
    radius = torch.where(gap > 0, gap / reach, 0)  # 0 / 0: two equal rows, so a tie
    return radius.amin(1).to(logits.dtype)


def _layers(model: nn.Module) -> Iterator[nn.Module]:
    if not _is(model, nn.Sequential):
        yield model
        return
    for child in model.children():
        yield from _layers(child)


def _is(layer: nn.Module, *kinds: type[nn.Module]) -> bool:
    """Whether ``layer`` computes what one of ``kinds`` does: a subclass with its own ``forward`` does not."""
    return any(isinstance(layer, kind) and type(layer).forward is kind.forward for kind in kinds)


@torch.no_grad()
def _product(layers: list[nn.Module], shape: tuple[int, ...]) -> float:
    """Product of the layers' norms; a blank image runs through them, for the shape that each receives."""
    parameter = next((p for layer in layers for p in layer.parameters()), torch.zeros(()))
    blank = torch.zeros(1, *shape, dtype=parameter.dtype, device=parameter.device)
    bound = 1.0
    for layer in layers:
        bound *= layer_norm(layer, tuple(blank.shape[1:]))
        blank = layer(blank)
    return bound


def _known_norm(layer: nn.Module, shape: tuple[int, ...]) -> float | None:  # noqa: PLR0911 - one for each kind
    if not _is(layer, *_KNOWN):
        return None
    match layer:
        case nn.Linear():
            return float(torch.linalg.matrix_norm(_double(layer.weight), 2))
        case nn.Conv2d(padding_mode="zeros"):
            return _convolution_norm(layer, shape)
        case nn.AvgPool2d(divisor_override=None) if _tiles(layer):
            return 1 / math.sqrt(math.prod(_pair(layer.kernel_size)))
        case nn.MaxPool2d() if _tiles(layer) and _pair(layer.dilation) == (1, 1):
            return 1.0
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d():
            return _normalisation_norm(layer)
        case nn.Conv2d() | nn.AvgPool2d() | nn.MaxPool2d():
            return None
    return 1.0


def _normalisation_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d) -> float | None:
    if layer.running_var is None:  # statistics of the batch, in eval mode too
        return None
    deviation = (_double(layer.running_var) + layer.eps).sqrt()
    return float(((1 if layer.weight is None else _double(layer.weight).abs()) / deviation).max())


def _convolution_norm(layer: nn.Conv2d, shape: tuple[int, ...]) -> float:
    kernel, (down, across) = _double(layer.weight), _pair(layer.dilation)
    height, width = down * (kernel.shape[2] - 1) + 1, across * (kernel.shape[3] - 1) + 1
    spread = kernel.new_zeros(*kernel.shape[:2], height, width)
    spread[:, :, ::down, ::across] = kernel
    torus = (shape[-2] + height - 1, shape[-1] + width - 1)
    # The kernel is real: the frequencies that rfft2 leaves out are conjugates of those that it returns.
    transfer = torch.fft.rfft2(spread, s=torus).permute(2, 3, 0, 1)
    blocks = transfer.unflatten(2, (layer.groups, -1))
    return float(torch.linalg.matrix_norm(blocks, 2).max())


def _jacobian_norm(model: nn.Module, x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        columns = model(x).unbind(1)
        rows = [torch.autograd.grad(column.sum(), x, retain_graph=True)[0].flatten(1) for column in columns]
    jacobian = torch.stack(rows, 1).double()
    return torch.linalg.eigvalsh(jacobian @ jacobian.mT)[:, -1].clamp_min(0).sqrt().to(x.dtype)


def _tiles(layer: nn.AvgPool2d | nn.MaxPool2d) -> bool:
    """Whether each input value counts in one window at most, and no window has fewer values than others."""
    apart = _pair(layer.stride) == _pair(layer.kernel_size)
    return apart and _pair(layer.padding) == (0, 0) and not layer.ceil_mode


def _pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return size if isinstance(size, tuple) else (size, size)


def _double(value: Tensor) -> Tensor:
    return value.detach().double()
