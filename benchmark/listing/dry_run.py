"""What ``--dry-run`` prints."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..toolkit.text_table import table_of

if TYPE_CHECKING:
    from ..engine.plan import Cell, Plan
    from ..engine.promise import Promise


def describe_plan(plan: Plan, finished: Collection[Cell] = (), promised: Promise | None = None) -> str:
    """What ``--dry-run`` prints: cells with their passes, or why they need none, the total, and how long it takes."""
    done = {cell.key for cell in finished}
    todo = [cell for cell in plan.cells if not cell.reason and cell.key not in done]
    rows = [
        {**row, **{name: "" if row[name] is None else f"{row[name]:.0f}" for name in ("forward", "backward")}}
        for row in _rows(plan, done)
    ]
    total, inapplicable = plan.total(todo), sum(bool(cell.reason) for cell in plan.cells)
    return (
        table_of(rows)
        + f"\n{plan.dataset}: {len(plan.data)} samples, {len(todo)} cells to compute,"
        + (f" {len(done)} finished," if done else "")
        + f" {inapplicable} inapplicable; {total.forward:.3g} forward and {total.backward:.3g}"
        + " backward passes in all, what cells share counted once (a cell's own row counts it); counted on a small"
        + " network, so what goes by predictions, as attacks on maps do, may take a few more or fewer"
        + (f"\n{promised}" if promised else "")
    )


def plan_document(plan: Plan, finished: Collection[Cell], promised: Promise) -> dict[str, object]:
    """What ``--dry-run --json`` prints: the same rows, and the promise in seconds."""
    done = {cell.key for cell in finished}
    todo = [cell for cell in plan.cells if not cell.reason and cell.key not in done]
    total = plan.total(todo)
    return {
        "dataset": plan.dataset,
        "samples": len(plan.data),
        "to_compute": len(todo),
        "finished": len(done),
        "inapplicable": sum(bool(cell.reason) for cell in plan.cells),
        "forward": total.forward,
        "backward": total.backward,
        "seconds": promised.seconds,
        "cells": _rows(plan, done),
    }


def _rows(plan: Plan, done: Collection[str]) -> list[dict[str, Any]]:
    """Each cell with its passes, which are None where it needs none, and why."""
    rows = []
    for cell in plan.cells:
        note = cell.reason or ("finished" if cell.key in done else "")
        cost = None if note else plan.cost(cell)
        rows.append(
            {
                "model": cell.model.name,
                "method": cell.method.label if cell.method else "",
                "metric": cell.metric.label,
                "perturbation": cell.perturbation.label if cell.perturbation else "",
                "forward": None if cost is None else cost.forward,
                "backward": None if cost is None else cost.backward,
                "note": note
                or ("" if cost else "could not be counted: it raised when it was tried, or took too long"),
            }
        )
    return rows
