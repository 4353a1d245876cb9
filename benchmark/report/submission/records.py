"""Whether the cells of a submission were computed by who submits them: each has records, all under the same conditions.

Published results have no records, so that a cell which was taken over from them has none; its scores in the tables show
nothing of the machine and the code that computed the new ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count, takewhile
from typing import Any

from ...store.records import Store
from ..results import Results

MACHINE = ("torch", "device")
"""What must be the same for all cells, so that the controls vouch for the others."""


def records_problems(mine: Results, controls: Collection[str], added: Collection[str]) -> Iterator[str]:
    """What speaks against the records of a run.

    Args:
        mine: the run of the submission.
        controls: the methods that show that all but the new ones is the same.
        added: the new methods.
    """
    store = Store(mine.folder)
    if not store.plan_files():
        yield (
            f"'{mine.folder}' has no records, by which computed cells are told from others: check the folder that"
            " 'xaiboard run' wrote, not a published copy of it"
        )
        return
    finished = mine.cells[mine.cells["method"].isin({*controls, *added}) & (mine.cells["status"] == "ok")]
    recorded = finished["key"].isin(store.recorded_cells())
    if number := len(taken_over := finished[~recorded]):
        of = ", ".join(f"'{method}'" for method in sorted(set(taken_over["method"])))
        selection = ",".join([*sorted(added), *sorted(controls)])
        yield (
            f"{number} finished cells of {of} were taken over with --reuse, not computed: run the whole suite anew,"
            f' without --reuse and with another --out, with --methods "{selection}"'
        )
    computed = [known for key in finished["key"][recorded] for known in _provenance(store, str(key))]
    for name in MACHINE:
        used = sorted({str(known.get(name, "?")) for known in computed})
        if len(used) > 1:
            yield (
                f"the cells were computed with {name} {' and '.join(used)}, so that the controls do not vouch for all"
                " of them: run anew in another folder with one of these"
            )
    yield from _changed_code(computed)


def _provenance(store: Store, key: str) -> Iterator[dict[str, Any]]:
    """How each part of a cell's samples was computed."""
    for shard in takewhile(lambda place: store.has(key, place), count()):
        yield store.provenance(key, shard)[0]


def _changed_code(computed: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Components whose cells were computed by more than one version of their code, under one version of Python."""
    seen: dict[tuple[str, str], set[str]] = {}
    for known in computed:
        for component, digest in known.get("code", {}).items():
            seen.setdefault((component, str(known.get("python"))), set()).add(str(digest))
    for component in sorted({component for (component, _), digests in seen.items() if len(digests) > 1}):
        yield f"the code of {component} was changed between its cells: raise its version, and run again"
