"""What the end of a run says beside its tables: what failed, what is not told apart, which columns fail a control."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ..toolkit.inert import one_line
from ..toolkit.wording import counted
from .order import PLACE, ranked
from .results import Results

MOST = 5
"""Things that a sentence names; of more it says how many."""


def worth_knowing(results: Results) -> list[str]:
    """Sentences on a whole run, the gravest first."""
    said = [*_failures(results.cells)]
    for dataset in results.datasets:
        rows = ranked(results, dataset)
        said += [f"{dataset}: {sentence}" for sentence in (_told_apart(rows), _missing(rows)) if sentence]
    missing = int((results.cells["status"] == "missing").sum())
    return (
        [*said, f"missing: {counted(missing, 'cell')}, which the same command computes."] if missing else said
    )


def _failures(cells: pd.DataFrame) -> Iterable[str]:
    """How many cells failed, and each message once with the first cells that have it."""
    failed = cells[cells["status"] == "failed"]
    if failed.empty:
        return
    yield f"{counted(len(failed), 'cell')} failed, as cells.csv says:"
    for note, group in list(failed.groupby("note", sort=False))[:MOST]:
        names = [
            " ".join(filter(None, row))
            for row in group[["model", "method", "metric"]].itertuples(index=False)
        ]
        yield one_line(f"  {_some(names)}: {note}")


def _told_apart(rows: pd.DataFrame) -> str:
    """In how many columns one method alone is in the set of the best; nothing where there is but one method."""
    counting = rows[rows["counts"]]
    if counting.loc[~counting["control"].astype(bool), "method"].nunique() < 2:
        return ""
    groups = counting.assign(own=counting["best"] & ~counting["control"].astype(bool)).groupby(
        PLACE, observed=True
    )
    alone = int(((groups["best"].sum() == 1) & (groups["own"].sum() == 1)).sum())
    return (
        f"in {alone} of {counted(groups.ngroups, 'column')} (model × score × settings) one method alone may be the"
        " best; in the others several, or controls, are not told apart."
    )


def _missing(rows: pd.DataFrame) -> str:
    """The methods without a mean rank."""
    lacking = rows[rows["rank"].isna()]
    names = list(dict.fromkeys(lacking["method"]))
    return f"no mean rank, because a score is missing on some model: {_some(names)}." if names else ""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
