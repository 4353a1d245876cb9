"""Which keys of a rule go together."""

from __future__ import annotations

from collections.abc import Iterator

from ..toolkit.patterns import read_pattern
from .declaration import HELD, WITHIN, Rule
from .rules import RULES
from .values import Place


def check_rule(place: Place, rule: Rule) -> None:
    """Refuses a rule whose keys do not go together.

    Raises:
        XaiboardError: they do not; it names the first that is wrong.
    """
    for wrong, field, expected in (*_sides(rule), *_order(rule), *_margin(rule), *_guards(rule)):
        if wrong:
            raise place.wrong(field, expected)


Checks = Iterator[tuple[bool, str, str]]
"""Whether something is wrong, with which field, and what is expected of it."""


def _sides(rule: Rule) -> Checks:
    twins = f"must have a twin for each of the {len(rule.a)} recipes of 'a', or one for all"
    yield len(rule.a) != len(rule.b) and 1 not in (len(rule.a), len(rule.b)), "b", twins
    key = RULES[rule.kind].compares
    if key in ("methods", "columns", "perturbations"):
        count = len(getattr(rule, key))
        yield count != 2, key, f"must be two, of which the first is compared with the second; got {count}"
    several = f"must be one method, which 'against' rivals; got {len(rule.methods)}"
    yield rule.kind == "best_of" and len(rule.methods) != 1, "methods", several


def _order(rule: Rule) -> Checks:
    if rule.kind != "order":
        return
    yield len(rule.order) < 2, "order", "must have two entries at least, from the worst to the best"
    yield rule.over != "columns" and not rule.columns, "columns", "is missing; an order needs them"
    lacking = f"is missing; an order over {rule.over} needs them"
    yield rule.over != "networks" and not rule.networks, "networks", lacking
    idle = f"says nothing beside over = '{rule.over}'; 'order' has them"
    yield bool(getattr(rule, rule.over)), rule.over, idle


def _margin(rule: Rule) -> Checks:
    width = f"must be positive where the claim is that something is within it; got {rule.m:g}"
    yield rule.holds == WITHIN and rule.m <= 0, "m", width
    idle = f"says nothing where holds = '{rule.holds}'; it goes with '{WITHIN}'"
    yield rule.holds != WITHIN and bool(rule.around), "around", idle
    perturbed = bool(rule.perturbations) or rule.over == "perturbations"
    yield rule.on == HELD and not perturbed, "on", "is 'held', but there are no perturbations"


def _guards(rule: Rule) -> Checks:
    names = (*rule.columns, *rule.perturbations, *(rule.order if rule.over != "networks" else ()))
    settings = {setting for name in names for setting in read_pattern(name).settings}
    for guard in rule.guards:
        idle = f"has half = '{guard.half}', a setting that no column and no perturbation names"
        yield bool(guard.half) and guard.half.partition("=")[0] not in settings, "guards", idle
