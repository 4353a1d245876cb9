"""Constant map: a control in which all pixels tie."""

import torch
from torch import Tensor

from ..components.decorators import method


@method(source="control", control=True)
def constant(x: Tensor) -> Tensor:
    """1 everywhere, shaped like ``x``; its score shows how a metric breaks ties. It costs no pass."""
    return torch.ones_like(x)
