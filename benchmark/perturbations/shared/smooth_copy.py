"""A smooth copy of a network, whose gradients can be differentiated once more."""

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn.functional import pad, softplus

from ...toolkit.networks import copy_network


@runtime_checkable
class Rectifying(Protocol):
    """A layer that uses ReLU inside, and can be rebuilt with another function in its place."""

    def with_rectifier(self, rectifier: Callable[[Tensor], Tensor]) -> nn.Module:
        """The layer with ``rectifier`` in place of ReLU; it maps any shape ``(B, ...)`` to itself."""
        ...


class SmoothReLU(nn.Module):
    """Softplus in place of ReLU, or of a leaky ReLU that multiplies negative values by ``slope``.

    The sharpness ``beta`` is in units of the spread of each sample's values. Layers and networks differ tenfold in the
    size of their values, so a fixed unit would make some copies too smooth and others too sharp. It also makes the copy
    of a rescaled network the rescaled copy.
    """

    def __init__(self, beta: float, slope: float = 0.0) -> None:
        super().__init__()
        self.beta, self.slope = beta, slope

    def forward(self, z: Tensor) -> Tensor:
        """``slope * z + (1 - slope) * softplus(z)``, ``(B, ...)``."""
        unit = spread(z)
        return self.slope * z + (1 - self.slope) * unit * softplus(z / unit, self.beta)


class SmoothMaxPool(nn.Module):
    """Log-sum-exp in place of max-pooling, with sharpness ``beta`` in units of the spread of each sample's values."""

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


def smooth_copy(model: nn.Module, beta: float) -> nn.Module:
    """A copy of the network with smooth activations and pooling, of sharpness ``beta``; a plain copy if it is infinite.

    ``nn.ReLU`` and ``nn.LeakyReLU`` become softplus, and max-pooling becomes log-sum-exp. A layer that has a method
    ``with_rectifier`` (:class:`Rectifying`), such as one that sorts pairs, becomes what this method returns. All other
    layers stay. These are the layers that are smooth already, and those that cannot be replaced: a ReLU that is called
    as a function, and pooling with dilation or with sizes that are rounded up. ``tests/performance/twins.py`` compares
    ways to smooth: attacks get furthest with this one.
    """
    smooth = copy_network(model).requires_grad_(requires_grad=False)
    if beta == math.inf:
        return smooth
    for parent in list(smooth.modules()):
        # not named_children(), which leaves out the second use of a layer
        for name, child in parent._modules.items():
            if child is not None:
                setattr(parent, name, _smooth(child, beta))
    return _smooth(smooth, beta)


def sharpen(smooth: nn.Module, beta: float) -> None:
    """Gives the smooth layers of :func:`smooth_copy` another sharpness; they keep theirs if it is infinite."""
    if beta == math.inf:
        return
    for layer in smooth.modules():
        if isinstance(layer, SmoothReLU | SmoothMaxPool):
            layer.beta = beta


def spread(z: Tensor) -> Tensor:
    """Root mean square of each sample's values, ``(B, 1, ...)``; gradients treat it as a constant."""
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
