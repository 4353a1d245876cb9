"""The type of an objective."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Objective = Callable[[nn.Module, Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""A function of ``(model, x, label, generator)`` that returns the loss, a scalar, and logits ``(B, K)``.

An objective that depends on earlier steps is an ``nn.Module`` and keeps its state in buffers, so that checkpoints
contain it.
"""
