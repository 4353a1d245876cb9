"""What ``--dry-run`` prints."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..toolkit.text_table import table_of

if TYPE_CHECKING:
    from ..engine.plan import Cell, Plan
    from ..engine.promise import Promise


def describe_plan(plan: Plan, finished: Collection[Cell] = (), promised: Promise | None = None) -> str:
    """What ``--dry-run`` prints: cells with their passes, or why they need none, the total, and how long it takes."""
    done = {cell.key for cell in finished}
    notes = {cell.key: cell.reason or ("finished" if cell.key in done else "") for cell in plan.cells}
    todo = [cell for cell in plan.cells if not notes[cell.key]]
    rows = []
    for cell in plan.cells:
        note = notes[cell.key]
        cost = None if note else plan.cost(cell)
        rows.append(
            {
                "model": cell.model.name,
                "method": cell.method.label if cell.method else "",
                "metric": cell.metric.label,
                "perturbation": cell.perturbation.label if cell.perturbation else "",
                "forward": "" if cost is None else f"{cost.forward:.0f}",
                "backward": "" if cost is None else f"{cost.backward:.0f}",
                "note": note or ("" if cost else "raised when it was tried on one sample"),
            }
        )
    total, inapplicable = plan.total(todo), sum(bool(cell.reason) for cell in plan.cells)
    return (
        table_of(rows)
        + f"\n{plan.dataset}: {len(plan.data)} samples, {len(todo)} cells to compute,"
        + (f" {len(done)} finished," if done else "")
        + f" {inapplicable} inapplicable; {total.forward:.3g} forward and {total.backward:.3g}"
        + " backward passes in all, what cells share counted once (a cell's own row counts it)"
        + (f"\n{promised}" if promised else "")
    )
