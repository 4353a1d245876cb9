"""Gradient norm: how steep the model is at the input."""

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from ..benchmark.registry import metric


@metric(family="model", higher_is_better=None, source="Serrurier et al. 2023, arXiv:2206.06854")
def gradient_norm(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """L2 norm of the gradient of the target's logit, ``(B,)``, in logits per unit of ``x``."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(model(leaf).gather(1, target[:, None]).sum(), leaf)
    return vector_norm(gradient.flatten(1), dim=1)
