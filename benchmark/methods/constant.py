"""Constant map: the control on which every pixel ties."""

import torch
from torch import Tensor

from ..components.decorators import method


@method(source="control", control=True)
def constant(x: Tensor) -> Tensor:
    """One everywhere, shaped like ``x``; what a metric makes of it is its rule for ties. Costs no pass."""
    return torch.ones_like(x)
