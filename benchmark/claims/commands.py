"""The commands that make what a claim lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote

from .declaration import Claim
from .sides import Source

SAMPLES = 500
"""Images that a command asks for, where no suite says how many."""


def run_command(claim: Claim, dataset: str, sources: Sequence[Source]) -> str:
    """What computes the scores of some sources, for all seeds of their recipes."""
    recipes = _unique(source.recipe for source in sources)
    models = [name for recipe in recipes for name in (recipe, f"{recipe}.seed*")]
    if claim.suite:
        return _command({"--suite": [claim.suite], "--dataset": [dataset], "--models": models})
    return _command(
        {
            "--dataset": [dataset],
            "--models": models,
            "--methods": _unique(source.method for source in sources),
            "--metrics": _unique(source.column for source in sources),
            "--perturbations": _unique(source.perturbation for source in sources),
            "--samples": [str(SAMPLES)],
        }
    )


def train_command(recipe: str, dataset: str, seed: int) -> str:
    """What trains one more network of a recipe."""
    return f"xaiboard train {recipe} --dataset {dataset} --seed {seed}"


def claims_command(runs: Sequence[str], file: str, claim: str) -> str:
    """What judges one claim anew, among all of its file."""
    chosen = [*runs, *(["--claims", file] if file else []), "--only", claim]
    return " ".join(["xaiboard", "claims", *map(quote, chosen)])


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))


def _command(options: dict[str, list[str]]) -> str:
    words = [f"{name} {quote(','.join(of))}" for name, of in options.items() if of]
    return " ".join(["xaiboard run", *words])
