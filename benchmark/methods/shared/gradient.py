"""The gradient of the explained logit, which several methods average."""

import torch
from torch import Tensor, nn


def gradient(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Gradient of the target's logit at ``x``, shaped like ``x``; gradients of parameters are left alone."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(model(x).gather(1, target[:, None]).sum(), x)[0]
