"""Lipschitz bounds (L2 to L2) of single layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..errors import XaiboardError

_NON_EXPANSIVE = (nn.Identity, nn.Flatten, nn.Unflatten, nn.ReLU, nn.Tanh, nn.Softplus)
_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
_NORMALISATION = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_WITH_WEIGHTS_OR_WINDOWS = (nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.MaxPool2d)
_KNOWN = (*_WITH_WEIGHTS_OR_WINDOWS, *_NORMALISATION, *_NON_EXPANSIVE, *_DROPOUT)


def layer_norm(layer: nn.Module, shape: tuple[int, ...]) -> float:
    """Bound of a layer's Lipschitz constant for inputs of ``shape`` (without batch), computed in float64.

    Exact for the layers that are known here, apart from convolutions. A layer of another kind may state its bound
    itself, in a numeric attribute ``lipschitz``.

    The bound of a convolution is the largest singular value over all frequencies of the circular convolution with the
    same kernel (Sedghi et al. 2019, arXiv:1805.10408) on a torus of ``H + k - 1`` by ``W + k - 1``. On a torus of that
    size nothing wraps around onto the image. The matrix of the zero-padded convolution is thus a submatrix of the
    circular one's, of which a stride only drops rows, so its norm cannot be larger.

    Raises:
        XaiboardError: no bound is known, or a layer that behaves otherwise in training is in training mode.
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


def computes_as(layer: nn.Module, *kinds: type[nn.Module]) -> bool:
    """Whether ``layer`` computes what one of ``kinds`` computes. A subclass with its own ``forward`` need not."""
    return any(isinstance(layer, kind) and type(layer).forward is kind.forward for kind in kinds)


def _known_norm(layer: nn.Module, shape: tuple[int, ...]) -> float | None:  # noqa: PLR0911 - one for each kind
    """Bound of a layer of torch's own, or None if none is known."""
    if not computes_as(layer, *_KNOWN):
        return None
    match layer:
        case nn.Linear():
            return float(torch.linalg.matrix_norm(_double(layer.weight), 2))
        case nn.Conv2d(padding_mode="zeros"):
            return _convolution_norm(layer, shape)
        case nn.AvgPool2d(divisor_override=None) if _windows_tile(layer):
            return 1 / math.sqrt(math.prod(_pair(layer.kernel_size)))
        case nn.MaxPool2d() if _windows_tile(layer) and _pair(layer.dilation) == (1, 1):
            return 1.0
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d():
            return _normalisation_norm(layer)
        case nn.Conv2d() | nn.AvgPool2d() | nn.MaxPool2d():
            return None
    return 1.0  # non-expansive, or dropout in eval mode


def _normalisation_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d) -> float | None:
    if layer.running_var is None:  # it normalises by statistics of the batch, also in eval mode: no bound
        return None
    deviation = (_double(layer.running_var) + layer.eps).sqrt()
    return float(((1 if layer.weight is None else _double(layer.weight).abs()) / deviation).max())


def _convolution_norm(layer: nn.Conv2d, shape: tuple[int, ...]) -> float:
    kernel, (down, across) = _double(layer.weight), _pair(layer.dilation)
    height, width = down * (kernel.shape[2] - 1) + 1, across * (kernel.shape[3] - 1) + 1
    dilated = kernel.new_zeros(*kernel.shape[:2], height, width)
    dilated[:, :, ::down, ::across] = kernel
    torus = (shape[-2] + height - 1, shape[-1] + width - 1)
    # The kernel is real, so the frequencies that rfft2 leaves out are conjugates of those that it returns, and have the
    # same singular values.
    transfer = torch.fft.rfft2(dilated, s=torus).permute(2, 3, 0, 1)
    blocks = transfer.unflatten(2, (layer.groups, -1))
    return float(torch.linalg.matrix_norm(blocks, 2).max())


def _windows_tile(layer: nn.AvgPool2d | nn.MaxPool2d) -> bool:
    """Whether pooling windows do not overlap, and all of them are full, neither padded nor cut off at the border."""
    without_overlap = _pair(layer.stride) == _pair(layer.kernel_size)
    return without_overlap and _pair(layer.padding) == (0, 0) and not layer.ceil_mode


def _pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return size if isinstance(size, tuple) else (size, size)


def _double(value: Tensor) -> Tensor:
    return value.detach().double()
