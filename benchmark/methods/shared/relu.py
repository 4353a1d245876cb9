"""Whether a method that changes the gradient at ReLUs applies to a model."""

from torch import nn


def without_relu(model: nn.Module) -> str | None:
    """Why a change of the gradient at ReLUs has no effect on the model, or None."""
    if any(isinstance(module, nn.ReLU) for module in model.modules()):
        return None
    return "the model has no nn.ReLU, so that the result would be the plain gradient"
