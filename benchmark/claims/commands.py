"""The commands that make what a claim lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from shlex import quote

from ..components.suites import read
from ..toolkit.labels import read_label, split_labels
from ..toolkit.patterns import matches
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
        lines += _runs(claim, dataset, [source for reason in reasons for source in reason.missing])
    return "; ".join(lines)


def _runs(claim: Claim, dataset: str, sources: Sequence[Source]) -> list[str]:
    """A run of each of the claim's suites that makes some of the scores; what none of them makes, without a suite."""
    of_suite = {suite: [each for each in sources if _makes(suite, each)] for suite in claim.suite}
    runs = [
        _command({"--suite": [suite], "--dataset": [dataset], "--models": _with_seeds(made)})
        for suite, made in of_suite.items()
        if made
    ]
    made = {each for of in of_suite.values() for each in of}
    rest = [each for each in sources if each not in made]
    return [*runs, *([_run_without_a_suite(dataset, rest)] if rest else [])]


def _makes(suite: str, source: Source) -> bool:
    """Whether a suite has the explanation and the perturbation; it has all columns, and any network may be named."""
    selected = read(suite)
    return all(
        not name or any(_means(pattern, name) for pattern in split_labels(str(selected.get(kind, ""))))
        for kind, name in (("methods", source.method), ("perturbations", source.perturbation))
    )


def _means(pattern: str, name: str) -> bool:
    label = read_label(name)
    return matches(read_label(pattern), label.name, label.settings)


def _with_seeds(sources: Iterable[Source]) -> list[str]:
    return [
        name for recipe in _unique(each.recipe for each in sources) for name in (recipe, f"{recipe}.seed*")
    ]


def _run_without_a_suite(dataset: str, sources: Sequence[Source]) -> str:
    return _command(
        {
            "--dataset": [dataset],
            "--models": _with_seeds(sources),
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
