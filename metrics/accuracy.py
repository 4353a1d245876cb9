"""Accuracy of the model."""

from torch import Tensor

from ..benchmark.components.decorators import metric


@metric(family="model", higher_is_better=True, across_models=True, range=(0, 1), source="definition")
def accuracy(logits: Tensor, label: Tensor) -> Tensor:
    """1 where the class with the largest of ``logits (B, K)`` is the ``label (B,)``, else 0, ``(B,)``."""
    return (logits.argmax(1) == label).to(logits)
