"""A claim in one line: the part on which its verdict depends, and how its parts came out."""

from __future__ import annotations

from collections import defaultdict

from .boundaries import MIXED, NOT, VERDICTS
from .parts import Part
from .verdicts import Verdict


def deciding(verdict: Verdict) -> int | None:
    """The place of the part that has the verdict of the claim least surely; None if the claim has no part.

    Where the parts are mixed, it is the one of those that do not hold.
    """
    word = NOT if verdict.word == MIXED else verdict.word
    places = [
        at for at, judged in enumerate(verdict.parts) if judged.part.counts and verdict.words[at] == word
    ]
    return max(places, key=lambda at: _doubt(verdict, at), default=None)


def _doubt(verdict: Verdict, at: int) -> float:
    judged = verdict.parts[at]
    if judged.effect is None:
        return -1.0
    return min(judged.probabilities) if judged.tested else 0.0


def summary(verdict: Verdict) -> str:
    """How the parts came out, where a claim has several: ``holds: …; undecided: …``, or ``all 8: holds``."""
    counting = [
        (judged.part, word)
        for judged, word in zip(verdict.parts, verdict.words, strict=True)
        if judged.part.counts
    ]
    if len(counting) < 2:
        return ""
    if len({word for _, word in counting}) == 1:
        return f"all {len(counting)}: {counting[0][1]}"
    names = short_names([part for part, _ in counting])
    of_word: dict[str, list[str]] = defaultdict(list)
    for name, (_, word) in zip(names, counting, strict=True):
        of_word[word].append(name)
    return "; ".join(f"{word}: {', '.join(of_word[word])}" for word in VERDICTS if word in of_word)


def short_names(parts: list[Part]) -> list[str]:
    """What tells each part from the others."""
    words = [
        (
            part.dataset,
            *map(part.words, ("recipe", "method", "column", "perturbation")),
            "" if part.beyond is None else f"> {part.beyond:g}",
            part.rule.text,
        )
        for part in parts
    ]
    differs = [len(set(column)) > 1 for column in zip(*words, strict=True)]
    return [" ".join(word for word, shown in zip(of, differs, strict=True) if word and shown) for of in words]
