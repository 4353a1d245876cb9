"""A smooth copy of a network, whose gradients have gradients."""

import copy
import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn.functional import pad, softplus


@runtime_checkable
class Rectifying(Protocol):
    """A layer that rectifies within, and says what it is with something else in place of its ReLU."""

    def with_rectifier(self, rectifier: Callable[[Tensor], Tensor]) -> nn.Module:
        """The layer with ``rectifier``, from any shape ``(B, ...)`` to itself, for ReLU."""
        ...


class SmoothReLU(nn.Module):
    """Softplus in place of a rectifier that lets ``slope`` of negative values through.

    Its sharpness ``beta`` is in units of each sample's spread of the values: layers of a network, and networks, differ
    tenfold in the size of what they compute, and the copy of a rescaled network is the rescaled copy.
    """

    def __init__(self, beta: float, slope: float = 0.0) -> None:
        super().__init__()
        self.beta, self.slope = beta, slope

    def forward(self, z: Tensor) -> Tensor:
        """``slope * z + (1 - slope) * softplus(z)``, ``(B, ...)``."""
        unit = spread(z)
        return self.slope * z + (1 - self.slope) * unit * softplus(z / unit, self.beta)


class SmoothMaxPool(nn.Module):
    """Log-sum-exp of each window of a max-pooling layer, of sharpness ``beta`` in units of each sample's spread."""

    def __init__(self, beta: float, layer: nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d) -> None:
        super().__init__()
        self.beta = beta
        axes = {nn.MaxPool1d: 1, nn.MaxPool2d: 2, nn.MaxPool3d: 3}[type(layer)]
        self.sizes, self.strides, self.paddings = (
            value if isinstance(value, tuple) else (value,) * axes
            for value in (layer.kernel_size, layer.stride, layer.padding)
        )

    def forward(self, z: Tensor) -> Tensor:
        """``(B, C, ...)``, pooled along the last axes."""
        unit, axes = spread(z), len(self.sizes)
        border = [side for padding in reversed(self.paddings) for side in (padding, padding)]
        windows = pad(z / unit, border, value=-math.inf)
        for axis, (size, stride) in enumerate(
            zip(self.sizes, self.strides, strict=True), start=z.dim() - axes
        ):
            windows = windows.unfold(axis, size, stride)
        return unit * torch.logsumexp(self.beta * windows, tuple(range(-axes, 0))) / self.beta


def smooth_twin(model: nn.Module, beta: float) -> nn.Module:
    """A copy in which rectifiers and max-pooling are smooth, of sharpness ``beta``; at infinity a plain copy.

    ``nn.ReLU`` and ``nn.LeakyReLU`` become softplus, and max-pooling becomes log-sum-exp. A layer that has a method
    ``with_rectifier`` (:class:`Rectifying`), such as one that sorts pairs, becomes what that returns. All others stay:
    those that are curved already, a rectifier that is a function and no layer, and pooling that is dilated or rounds
    its size up. ``tests/performance/twins.py`` shows that attacks get furthest so.
    """
    twin = copy.deepcopy(model).requires_grad_(requires_grad=False)
    if beta == math.inf:
        return twin
    for parent in list(twin.modules()):
        # named_children() would leave out a layer that is used twice
        for name, child in parent._modules.items():
            if child is not None:
                setattr(parent, name, _smooth(child, beta))
    return _smooth(twin, beta)


def sharpen(twin: nn.Module, beta: float) -> None:
    """Gives the smooth layers of :func:`smooth_twin` another sharpness; at infinity they keep theirs."""
    if beta == math.inf:
        return
    for layer in twin.modules():
        if isinstance(layer, SmoothReLU | SmoothMaxPool):
            layer.beta = beta


def spread(z: Tensor) -> Tensor:
    """Root mean square of each sample's values, a constant for gradients, ``(B, 1, ...)``."""
    flat = z.detach().flatten(1)
    size = vector_norm(flat, dim=1) / math.sqrt(flat.shape[1])
    return size.clamp_min(1e-12).view(-1, *[1] * (z.dim() - 1))


def _smooth(layer: nn.Module, beta: float) -> nn.Module:
    match layer:
        case nn.ReLU():
            return SmoothReLU(beta)
        case nn.LeakyReLU():
            return SmoothReLU(beta, layer.negative_slope)
        case nn.MaxPool1d() | nn.MaxPool2d() | nn.MaxPool3d() if _is_plain(layer):
            return SmoothMaxPool(beta, layer)
        case Rectifying():
            return layer.with_rectifier(SmoothReLU(beta))
    return layer


def _is_plain(layer: nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d) -> bool:
    dilated = layer.dilation not in {1, (1,), (1, 1), (1, 1, 1)}
    return not (dilated or layer.ceil_mode or layer.return_indices)
