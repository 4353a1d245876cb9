"""Built-in metrics; importing the package registers them."""

from . import (
    accuracy,
    certified_accuracy,
    deletion,
    gini,
    gradient_norm,
    insertion,
    lens,
    lipschitz,
    max_sensitivity,
    topk_intersection,
)

__all__ = [
    "accuracy",
    "certified_accuracy",
    "deletion",
    "gini",
    "gradient_norm",
    "insertion",
    "lens",
    "lipschitz",
    "max_sensitivity",
    "topk_intersection",
]
