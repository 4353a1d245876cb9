"""Images and classes for networks of all kinds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor


@pytest.fixture
def x() -> Tensor:
    """Three images."""
    return torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def target() -> Tensor:
    """A class for each image."""
    return torch.tensor([0, 1, 3])
