"""Whether the cells of a submission were computed by who submits them: each has records, all under the same conditions.

Published results have no records, so that a cell which was taken over from them has none; its scores in the tables show
nothing of the machine and the code that computed the new ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import pandas as pd

from ...store.records import Store
from ..results import Results

MACHINE = ("torch", "device")
"""What must be the same for all cells, so that the controls vouch for the others."""


class Computed(NamedTuple):
    """Cells of some methods, as their records say.

    Args:
        taken_over: finished cells without records, a row each.
        provenance: what is known of how each other finished cell was computed.
    """

    taken_over: pd.DataFrame
    provenance: list[dict[str, Any]]


def read_provenance(mine: Results, methods: Collection[str]) -> Computed:
    """What the records of a run say of the finished cells of some methods."""
    store = Store(mine.folder)
    recorded = store.recorded_cells()
    finished = mine.cells[mine.cells["method"].isin(methods) & (mine.cells["status"] == "ok")]
    has = finished["key"].isin(recorded)
    known = [store.read(str(key), 0)[1] for key in finished["key"][has]]
    return Computed(finished[~has], known)


def records_problems(mine: Results, controls: Collection[str], added: Collection[str]) -> Iterator[str]:
    """What speaks against the records of a run.

    Args:
        mine: the run of the submission.
        controls: the methods that show that all but the new ones is the same.
        added: the new methods.
    """
    if not Store(mine.folder).plan_files():
        yield (
            f"'{mine.folder}' has no records, by which computed cells are told from others: check the folder that"
            " 'xaiboard run' wrote, not a published copy of it"
        )
        return
    found = read_provenance(mine, {*controls, *added})
    if number := len(found.taken_over):
        of = ", ".join(f"'{method}'" for method in sorted(set(found.taken_over["method"])))
        selection = ",".join([*sorted(added), *sorted(controls)])
        yield (
            f"{number} finished cells of {of} were taken over with --reuse, not computed: run the whole suite anew,"
            f' without --reuse and with another --out, with --methods "{selection}"'
        )
    for name in MACHINE:
        used = sorted({str(known.get(name, "?")) for known in found.provenance})
        if len(used) > 1:
            yield (
                f"the cells were computed with {name} {' and '.join(used)}, so that the controls do not vouch for all"
                " of them: run anew in another folder with one of these"
            )
    yield from _changed_code(found)


def _changed_code(found: Computed) -> Iterator[str]:
    """Components whose cells were computed by more than one version of their code, under one version of Python."""
    seen: dict[tuple[str, str], set[str]] = {}
    for known in found.provenance:
        for component, digest in known.get("code", {}).items():
            seen.setdefault((component, str(known.get("python"))), set()).add(str(digest))
    for component in sorted({component for (component, _), digests in seen.items() if len(digests) > 1}):
        yield f"the code of {component} was changed between its cells: raise its version, and run again"
