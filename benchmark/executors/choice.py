"""The engines by name, and how one is chosen: ``local[workers=2]``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..components.choice import Choice, choose
from ..components.kinds import Component
from ..components.patterns import parse
from ..components.signature import read_signature
from ..errors import XaiboardError
from .jobs import Engine
from .local import local
from .on_ray import ray
from .on_slurm import slurm

ENGINES: dict[str, Callable[..., Engine]] = {"local": local, "ray": ray, "slurm": slurm}
"""Functions of the folder of a run, whose keyword-only parameters are the settings."""

EngineChoice = Choice[Component]


def read_engine(text: str) -> EngineChoice:
    """The engine that a text such as ``local[workers=2]`` names.

    Raises:
        XaiboardError: no such engine, or none of its settings, or a value that a setting cannot have.
    """
    name, settings = parse(text) if text else ("", {})
    if name not in ENGINES:
        raise XaiboardError(f"no engine named '{name}'; there are: {', '.join(ENGINES)}")
    function = ENGINES[name]
    declared = read_signature("engine", name, function).settings
    return choose(Component(name, function, supplied=("folder",), settings=declared), settings)


def in_this_process(choice: EngineChoice) -> bool:
    """Whether cells are computed in the process that asks for them."""
    return choice.component.name == "local" and choice.settings["workers"] == 1


def start(choice: EngineChoice, folder: Path) -> Any:  # noqa: ANN401 - an Engine, which is no class at run time
    """Starts an engine for the run in ``folder``.

    Raises:
        XaiboardError: it is not installed, or cannot be reached.
    """
    return choice.component.compute({"folder": folder}, choice.settings)
