"""Markdown tables for the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; empty if there are no rows, and without the columns in which every row is empty."""
    body = [list(row) for row in rows]
    kept = [place for place in range(len(header)) if any(row[place] for row in body)]
    if not body:
        return ""
    lines = [[header[place] for place in kept], ["---"] * len(kept)]
    lines += [[_cell(row[place]) for place in kept] for row in body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
