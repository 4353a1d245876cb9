"""The packages of built-in components, loaded by name: whatever module lies in one of them registers itself."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

BUILTINS = (
    "xaiboard.benchmark.datasets",
    "xaiboard.benchmark.methods",
    "xaiboard.benchmark.perturbations",
    "xaiboard.metrics",
    "xaiboard.models",
)


GROUP = "xaiboard"
"""The entry-point group by which installed distributions bring components."""


def has_entry_points() -> bool:
    """Whether an installed distribution brings components."""
    return bool(entry_points(group=GROUP))


@cache
def load_builtins() -> None:
    """Imports the modules that register the built-in components, in the order of their names."""
    for name in BUILTINS:
        for module in iter_modules(import_module(name).__path__):
            if not module.ispkg:  # helpers of a kind are in sub-packages
                import_module(f"{name}.{module.name}")
