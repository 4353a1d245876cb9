"""Registers a network that is trained here: one entry for each seed, all with the same recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from torch import nn

from ...benchmark.components.decorators import model
from .recipe import Recipe

SEEDS = range(5)
"""Statements about a recipe need at least five networks of it."""

Build = TypeVar("Build", bound=Callable[..., nn.Module])


def trained(
    name: str, *, family: str, source: str, recipe: Recipe, lipschitz: float | None = None
) -> Callable[[Build], Build]:
    """Registers ``name`` for seed 0 and ``name.seed1`` to ``name.seed4``: the same training with other random numbers.

    Args:
        name: ``architecture.training``.
        family: the family as part of which it is compared.
        source: paper of the training, and where it was trained.
        recipe: how it is trained.
        lipschitz: the L2 Lipschitz constant that the network claims, or None.
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
