"""A smooth copy of a network, whose gradients have gradients."""

import copy

from torch import Tensor, nn
from torch.nn.functional import softplus


class SmoothReLU(nn.Module):
    """Softplus in place of a rectifier that lets ``slope`` of negative values through."""

    def __init__(self, beta: float, slope: float = 0.0) -> None:
        super().__init__()
        self.beta, self.slope = beta, slope

    def forward(self, z: Tensor) -> Tensor:
        """``slope * z + (1 - slope) * softplus(z)``."""
        return self.slope * z + (1 - self.slope) * softplus(z, self.beta)


def smooth_twin(model: nn.Module, beta: float) -> nn.Module:
    """A copy in which each ``nn.ReLU`` and ``nn.LeakyReLU`` is a softplus of sharpness ``beta``.

    Other layers stay: max-pooling and sorted pairs are linear in pieces, and so is a rectifier that is a function and
    no layer.
    """
    twin = copy.deepcopy(model).requires_grad_(requires_grad=False)
    if isinstance(twin, nn.ReLU | nn.LeakyReLU):
        return _smooth(twin, beta)
    for parent in list(twin.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.ReLU | nn.LeakyReLU):
                setattr(parent, name, _smooth(child, beta))
    return twin


def _smooth(layer: nn.ReLU | nn.LeakyReLU, beta: float) -> SmoothReLU:
    return SmoothReLU(beta, layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0)
