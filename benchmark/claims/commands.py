"""The commands that make what a claim lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from shlex import quote

from .declaration import Claim
from .judging import Judged
from .reasons import NotTestable
from .sides import Source

SAMPLES = 500
"""Images that a command asks for, where no suite says how many."""


def making_commands(claim: Claim, parts: Iterable[Judged]) -> str:
    """What makes the scores that some parts lack, for all seeds of their recipes; a line for each data set."""
    lacking: dict[str, list[NotTestable]] = defaultdict(list)
    for judged in parts:
        if judged.reason is not None and judged.reason.missing:
            lacking[judged.part.dataset].append(judged.reason)
    lines = []
    for dataset, reasons in lacking.items():
        alone = _unique(source.recipe for reason in reasons if reason.train for source in reason.missing)
        lines += [f"xaiboard train {recipe} --dataset {dataset} --seed 1" for recipe in alone]
        lines.append(_run(claim, dataset, [source for reason in reasons for source in reason.missing]))
    return "; ".join(lines)


def _run(claim: Claim, dataset: str, sources: Sequence[Source]) -> str:
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


def claims_command(runs: Sequence[str], file: str, claim: str) -> str:
    """What judges one claim anew, among all of its file."""
    chosen = [*runs, *(["--claims", file] if file else []), "--only", claim]
    return " ".join(["xaiboard", "claims", *map(quote, chosen)])


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))


def _command(options: dict[str, list[str]]) -> str:
    words = [f"{name} {quote(','.join(of))}" for name, of in options.items() if of]
    return " ".join(["xaiboard run", *words])
