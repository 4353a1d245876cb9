"""The form of an objective."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Objective = Callable[[nn.Module, Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""``(model, x, label, generator)`` to the loss, a scalar, and logits ``(B, K)``.

One that remembers earlier steps is an ``nn.Module`` and keeps what it remembers in buffers, so that a checkpoint
holds it.
"""
