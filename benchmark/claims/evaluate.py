"""Judges the claims of a file by the scores of runs: the door of the command line, of pages and of tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..components.suites import CLAIMS
from ..errors import XaiboardError
from .declaration import Claim
from .evidence import Evidence
from .images import Images
from .judging import Judged, judge
from .parts import parts_of
from .reading import read_claims
from .run import Run
from .verdicts import Verdict, decide

PUBLISHED = Path("results")
"""Below which the runs are that are read where none is named."""


class Judgement(NamedTuple):
    """The claims of a file, judged.

    Args:
        verdicts: one a claim, in the order of the file.
        runs: folders whose scores were read, as they were named; none where they are the published ones.
        file: of the claims; empty for the one that comes with the package.
    """

    verdicts: list[Verdict]
    runs: tuple[str, ...]
    file: str


def judge_claims(folders: Sequence[str | Path] = (), file: str | Path | None = None) -> Judgement:
    """The verdicts on the claims of a file.

    Args:
        folders: of the runs; none for those below ``results`` in the working directory.
        file: of the claims; None for the one that comes with the package.

    Raises:
        XaiboardError: the file or a run cannot be read, two runs contradict each other, or there is no run.
    """
    claims = read_claims(CLAIMS if file is None else file)
    chosen = list(dict.fromkeys(map(Path, folders))) or published()
    columns = frozenset(column.partition("[")[0] for claim in claims for column in _columns(claim))
    evidence = Evidence(Run(folder, columns) for folder in chosen)
    judged = [(claim, _judged(claim, evidence)) for claim in claims]
    return Judgement(decide(judged), tuple(map(str, folders)), "" if file is None else str(file))


def published() -> list[Path]:
    """The runs below ``results``.

    Raises:
        XaiboardError: there is none.
    """
    found = sorted(path.parent for path in PUBLISHED.glob("*/scores.parquet"))
    if not found:
        raise XaiboardError(
            "no run is named, and there is none below 'results' here; name the folders of runs"
        )
    return found


def _judged(claim: Claim, evidence: Evidence) -> list[Judged]:
    parts = parts_of(claim)
    counting = [part for part in parts if part.counts]
    images = {True: Images(counting, evidence), False: Images(parts, evidence)}
    return [judge(part, images[part.counts], evidence) for part in parts]


def _columns(claim: Claim) -> list[str]:
    """Columns whose scores are read for a claim."""
    rules = (*claim.rules, *claim.beside)
    own = [
        column
        for rule in rules
        for column in (*rule.columns, *(rule.order if rule.over == "columns" else ()))
    ]
    return own + [guard.column for rule in rules for guard in rule.guards if guard.column]
