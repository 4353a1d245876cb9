"""What the claims leave: two tables, a page and a figure, the same bytes each time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..errors import unknown
from ..store.tables import csv_text
from ..toolkit.files import require_ours, write_file
from .evaluate import PUBLISHED, Judgement
from .figure import FILE as FIGURE
from .figure import draw_claims
from .page import HEADING, claims_page, describe
from .table import CLAIMS, PARTS, claims_table, parts_table

TABLE, TABLE_OF_PARTS, PAGE = "claims.csv", "claims_parts.csv", "claims.md"

_OURS = {TABLE: ",".join(CLAIMS[:4]), TABLE_OF_PARTS: ",".join(PARTS[:3]), PAGE: HEADING}
"""How these files begin, by which one that is replaced is known to be of an earlier judgement."""


def folder_of(runs: Sequence[Path]) -> Path:
    """Where they are written if nobody says: in the run, or beside several of them in ``claims``."""
    if len(runs) == 1:
        return runs[0]
    return (runs[0].parent if runs else PUBLISHED) / "claims"


def write_claims(judgement: Judgement, folder: Path) -> list[Path]:
    """Writes the files, in the place of those of an earlier judgement; their paths.

    Raises:
        XaiboardError: the folder has such a file of another origin, or it cannot be written to.
    """
    for name, start in _OURS.items():
        require_ours(folder / name, start, "'xaiboard claims'")
    claims, parts = claims_table(judgement), parts_table(judgement)
    texts = {TABLE: csv_text(claims), TABLE_OF_PARTS: csv_text(parts), PAGE: claims_page(claims, parts)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_file(folder / name, lambda path, text=text: path.write_text(text, "utf-8", newline=""))
    drawn = draw_claims(judgement, folder / FIGURE)
    return [folder / name for name in (*texts, *([FIGURE] if drawn else []))]


def describe_claim(judgement: Judgement, claim: str) -> str:
    """One claim with all of its parts, for a terminal.

    Raises:
        XaiboardError: there is no such claim.
    """
    claims, parts = claims_table(judgement), parts_table(judgement)
    if claim not in set(claims["id"]):
        raise unknown("claim", claim, claims["id"])
    row = claims[claims["id"] == claim].to_dict("records")[0]
    return describe(row, parts[parts["id"] == claim])


def overview(judgement: Judgement) -> str:
    """A line for each claim, and how many there are of each verdict."""
    return claims_page(claims_table(judgement), pd.DataFrame(columns=PARTS)).partition("\n## ")[0]
