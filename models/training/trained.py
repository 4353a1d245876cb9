"""The entries of a network that is trained here: one for each seed, all with the same recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from torch import nn

from ...benchmark.components.decorators import model
from .recipe import Recipe

SEEDS = (0, 1, 2)

Build = TypeVar("Build", bound=Callable[..., nn.Module])


def trained(
    name: str, *, family: str, source: str, recipe: Recipe, lipschitz: float | None = None
) -> Callable[[Build], Build]:
    """Registers ``name`` for seed 0, and ``name.seed1``, ``name.seed2``: trainings that differ by chance alone.

    Args:
        name: ``architecture.training``.
        family: what it is compared as.
        source: of the training.
        recipe: how it is trained.
        lipschitz: the constant that the network claims.
    """

    def register(build: Build) -> Build:
        for seed in SEEDS:
            label = f"{name}.seed{seed}" if seed else name
            model(
                name=label,
                family=family,
                weights=f"weights/{label}@{{dataset}}.safetensors",
                source=source,
                lipschitz=lipschitz,
                recipe=replace(recipe, seed=seed),
            )(build)
        return build

    return register
