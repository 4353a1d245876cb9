"""Rules without inference: what no image may contradict, and what is proved."""

from __future__ import annotations

from collections.abc import Sequence

from ...toolkit.wording import counted
from ..declaration import Rule
from ..sides import Side
from .registry import Fact, rule


@rule("certificate", needs=("datasets", "networks", "columns"), takes=("m", "on"), compares="columns")
def certificate(sides: Sequence[Side], declared: Rule) -> Fact:
    """Whether no image of any network has a first score above the second by more than the margin."""
    count = int((sides[0].score > sides[1].score + declared.m).sum())
    looked = counted(sides[0].score.size, "pair")
    return Fact(not count, f"{count} of {looked} of an image and a network contradict it", count)


@rule("theorem", needs=("theorem",), takes=())
def theorem(_: Sequence[Side], declared: Rule) -> Fact:
    """What is proved, and checked by a test."""
    return Fact(holds=True, why=f"proved; {declared.theorem} checks it")
