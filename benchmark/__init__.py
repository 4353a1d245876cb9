"""Benchmarks of explanations: decorators for components of your own, their registries, and the suite from Python.

Names that need torch are imported when they are first used, so that tables can be rebuilt without it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .components.decorators import dataset, method, metric, model, perturbation
from .components.kinds import Column, Weighted
from .components.registry import datasets, methods, metrics, models, perturbations
from .errors import XaiboardError

if TYPE_CHECKING:
    from .api import explain, run
    from .contract import check
    from .report.results import Results
    from .report.section import section
    from .runs.finished_run import Run
    from .subjects.datasets import load_data
    from .subjects.trained_models import load_model
    from .toolkit.data import Data, Reference
    from .toolkit.rng import SampleRng

_LAZY = {
    "Data": "toolkit.data",
    "Reference": "toolkit.data",
    "Results": "report.results",
    "Run": "runs.finished_run",
    "SampleRng": "toolkit.rng",
    "check": "contract",
    "explain": "api",
    "load_data": "subjects.datasets",
    "load_model": "subjects.trained_models",
    "run": "api",
    "section": "report.section",
}

__all__ = [
    "Column",
    "Data",
    "Reference",
    "Results",
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
    "section",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _LAZY:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """Keeps ``xaiboard.benchmark.methods`` the registry when the sub-package of that name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("datasets", "methods", "perturbations") and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
