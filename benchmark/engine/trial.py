"""Tries a method or metric on a few samples: what it gives there stands for what it computes."""

from __future__ import annotations

import torch

from ..components import registry
from ..components.choice import Choice, choose
from ..components.kinds import Method
from ..subjects.outputs import Outputs, function_outputs
from .applies import missing_library, needs_method, needs_perturbation
from .scores import score
from .values import Values


def try_function(choice: Choice, values: Values) -> Outputs | None:
    """What a method gives for the samples of ``values``, or a metric for random maps of them; None if it gives nothing.

    Args:
        choice: the method or metric.
        values: of one model and a few samples.
    """
    try:
        if isinstance(choice.component, Method):
            return function_outputs(values.attribution(choice))
        if missing_library(choice.component):
            return None
        method = choose(registry.methods["random"]) if needs_method(choice.component) else None
        perturbed = needs_perturbation(choice.component)
        perturbation = choose(registry.perturbations["sign_noise"]) if perturbed else None
        columns = score(values, choice, method, perturbation).score
        return function_outputs(torch.stack([columns[name] for name in sorted(columns)], 1))
    except Exception:  # the cells report it
        return None
