"""The parts of a claim: its rules with each data set, pair of twins, method, column, perturbation and threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from .declaration import ALL, COMMON, HELD, Claim, Rule
from .rules import RULES
from .sides import Source

FIELD = {"networks": "recipe", "methods": "method", "columns": "column", "perturbations": "perturbation"}
"""What the entries of a key are in a source."""

_JOINED = {"best": " against the best of ", "order": " < ", "ratio": " / "}
"""What stands between the sides, where it is not a minus."""


@dataclass(frozen=True)
class Part:
    """One comparison.

    Args:
        rule: that it is of.
        dataset: whose images.
        sources: of the sides, in the order in which the rule compares them; none for a theorem.
        beyond: threshold of the scores, or None.
        counts: whether the claim depends on it.
    """

    rule: Rule
    dataset: str = ""
    sources: tuple[Source, ...] = ()
    beyond: float | None = None
    counts: bool = True

    @property
    def on(self) -> str:
        """Which images count."""
        if self.rule.on or not self.sources:
            return self.rule.on
        return HELD if self.sources[0].perturbation else COMMON if self.sources[0].method else ALL

    def words(self, field: str) -> str:
        """What the sides have in one field of their sources, with a sign between those that are compared."""
        names = list(dict.fromkeys(getattr(source, field) for source in self.sources))
        compares = RULES[self.rule.kind].compares
        if compares == "best" and len(names) > 2:
            return (
                f"{names[0]}{_JOINED['best']}{', '.join(getattr(each, field) for each in self.sources[1:])}"
            )
        return _JOINED.get(self.rule.kind, _JOINED.get(compares, " − ")).join(names)

    @property
    def name(self) -> str:
        """All that tells it from the other parts."""
        words = [
            self.dataset,
            *map(self.words, Source._fields),
            "" if self.beyond is None else f"> {self.beyond:g}",
        ]
        return ", ".join(filter(None, words)) or self.rule.theorem


def parts_of(claim: Claim) -> list[Part]:
    """All parts of a claim, those that count first."""
    found = [part for rule in claim.rules for part in _parts(rule, counts=True)]
    return found + [part for rule in claim.beside for part in _parts(rule, counts=False)]


def _parts(rule: Rule, *, counts: bool) -> Iterator[Part]:
    if not rule.datasets:
        yield Part(rule, counts=counts)
    for dataset, sides in product(rule.datasets, _compared(rule)):
        free = [_entries(rule, key) for key, field in FIELD.items() if field not in sides[0]]
        for entries in product(*free):
            shared = dict(entries)
            sources = tuple(Source(**{**shared, **side}) for side in sides)
            for beyond in rule.beyond or (None,):
                yield Part(rule, dataset, sources, beyond, counts)


def _entries(rule: Rule, key: str) -> list[tuple[str, str]]:
    return [(FIELD[key], entry) for entry in getattr(rule, key) or ("",)]


def _compared(rule: Rule) -> list[list[dict[str, str]]]:
    """The sides of each comparison, by the fields in which they differ."""
    compares = RULES[rule.kind].compares
    if compares == "twins":
        return [[{"recipe": one}, {"recipe": other}] for one, other in _twins(rule)]
    if compares == "best":
        return [
            [{"recipe": one, "method": rule.methods[0]}]
            + [{"recipe": other, "method": method} for method in rule.against]
            for one, other in _twins(rule)
        ]
    if compares == "order":
        return [[{FIELD[rule.over]: entry} for entry in rule.order]]
    if compares:
        return [[{FIELD[compares]: entry} for entry in getattr(rule, compares)]]
    return [[{}]]


def _twins(rule: Rule) -> Sequence[tuple[str, str]]:
    longest = max(len(rule.a), len(rule.b))
    a, b = (side * longest if len(side) == 1 else side for side in (rule.a, rule.b))
    return list(zip(a, b, strict=True))
