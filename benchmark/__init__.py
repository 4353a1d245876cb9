"""The engine: registries, plan, runner, store, leaderboards. It knows no concrete component.

Names that need torch are imported when they are first used, so that tables can be rebuilt without it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .components import Column, Weighted
from .errors import XaiboardError
from .registry import (
    dataset,
    datasets,
    method,
    methods,
    metric,
    metrics,
    model,
    models,
    perturbation,
    perturbations,
)

if TYPE_CHECKING:
    from .api import Run, check, explain, load_model, run
    from .data import Data, Reference, load_data
    from .rng import SampleRng

_LAZY = {
    "Data": "data",
    "Reference": "data",
    "Run": "api",
    "SampleRng": "rng",
    "check": "api",
    "explain": "api",
    "load_data": "data",
    "load_model": "api",
    "run": "api",
}

__all__ = [
    "Column",
    "Data",
    "Reference",
    "Run",
    "SampleRng",
    "Weighted",
    "XaiboardError",
    "check",
    "dataset",
    "datasets",
    "explain",
    "load_data",
    "load_model",
    "method",
    "methods",
    "metric",
    "metrics",
    "model",
    "models",
    "perturbation",
    "perturbations",
    "run",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _LAZY:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)


class _Package(ModuleType):
    """Keeps ``xaiboard.benchmark.methods`` the registry when the sub-package of that name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("datasets", "methods", "perturbations") and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
