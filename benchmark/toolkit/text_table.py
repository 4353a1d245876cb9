"""Tables as text that reads as Markdown too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .inert import one_line


def text_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, aligned so that it reads as plain text; ``(none)`` without rows."""
    lines = [[one_line(str(value)).replace("|", "\\|") for value in row] for row in (columns, *rows)]
    if len(lines) == 1:
        return "(none)\n"
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(f"| {' | '.join(_padded(line, widths))} |\n" for line in lines)


def table_of(rows: Sequence[Mapping[str, object]]) -> str:
    """A :func:`text_table` of rows by column; columns in the order in which rows first name them, gaps empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return text_table(columns, ([row.get(name, "") for name in columns] for row in rows))


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [text.ljust(width) for text, width in zip(line, widths, strict=True)]
