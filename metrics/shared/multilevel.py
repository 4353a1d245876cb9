"""Multilevel diagonal scaling: a preconditioner with which conjugate gradients fill holes of any size in few steps."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

COARSER = 4
"""Each grid has so many times fewer rows and columns than the one before. Larger: fewer grids, but more steps."""

HAT = 8 / 3
"""Integral of the squared gradient of a bilinear hat function; it does not depend on the size of the hat."""


class Scales:
    """Approximate inverse of a discrete Laplacian on the free pixels of an image (Bramble et al. 1990).

    There is a sequence of coarser and coarser grids of bilinear hat functions, down to a single hat. On each grid the
    residual is projected on the hats and divided by their energies; the results are added up. The pixels themselves are
    the finest grid. Hats are cut off where pixels are not free. The result is zero at pixels that are not free.

    Args:
        free: 1 where a pixel is free and 0 elsewhere, ``(H, W, 1, B)``.
        diagonal: diagonal of the Laplacian, ``(H, W, 1, 1)``.
        tied: for each free pixel, the sum of the weights of its neighbours that are not free, shaped like ``free``.
        stiffness: energy of a unit slope, for each pixel.
    """

    def __init__(self, free: Tensor, diagonal: Tensor, tied: Tensor, stiffness: float) -> None:
        grids = _coarser(free.shape[0], free.shape[1])
        down, across = (
            torch.cat([_hats(free, size[axis], free.shape[axis]) for size in grids]) for axis in (0, 1)
        )
        slope = _both(down, across, free) / _both(down, across, torch.ones_like(free[..., :1]))
        energy = _both(down**2, across**2, tied) + HAT * stiffness * slope
        alike = torch.block_diag(*(torch.ones(size) for size in grids)).to(free)[:, :, None, None]
        self.coarse = alike / energy.clamp_min(torch.finfo(free.dtype).tiny)
        self.fine, self.free = free / diagonal, free
        self.down, self.across = down, across

    def __call__(self, residual: Tensor) -> Tensor:
        """The approximate inverse applied to a residual ``(H, W, C, B)``, which is zero at pixels that are not free."""
        hats = _both(self.down, self.across, residual).mul_(self.coarse)
        return _both(self.down.mT, self.across.mT, hats).mul_(self.free).addcmul_(residual, self.fine)


def _coarser(*size: int) -> list[tuple[int, ...]]:
    grids = [tuple(-(-n // COARSER) for n in size)]
    while max(grids[-1]) > 1:
        grids.append(tuple(-(-n // COARSER) for n in grids[-1]))
    return grids


def _hats(like: Tensor, count: int, size: int) -> Tensor:
    """Values of ``count`` hat functions at ``size`` pixels, ``(count, size)``."""
    return interpolate(torch.eye(count).to(like)[None], size, mode="linear")[0]


def _both(down: Tensor, across: Tensor, x: Tensor) -> Tensor:
    """``x (H, W, C, B)`` with ``down (M, H)`` applied to its rows and ``across (N, W)`` to its columns."""
    rows = (down @ x.flatten(1)).view(len(down), x.shape[1], -1)
    return (across @ rows).view(len(down), len(across), *x.shape[2:])
