"""Maps as vectors of length 1."""

import torch
from torch import Tensor
from torch.linalg import vector_norm


def unit(attribution: Tensor) -> Tensor:
    """The map as a vector of length 1, ``(B, N)``; an all-zero map stays zero."""
    flat, tiny = attribution.flatten(1), torch.finfo(attribution.dtype).tiny
    flat = flat / flat.abs().amax(1, keepdim=True).clamp_min(tiny)  # squares neither vanish nor overflow
    return flat / vector_norm(flat, dim=1, keepdim=True).clamp_min(tiny)
