"""The reference of components: a page a kind, generated from the registries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from .catalogue import Entry, entries, suite_entries
from .tables import table

UNGROUPED = ("methods", "perturbations", "datasets")


def component_page(kind: str) -> str:
    """An overview of the kind, then each component."""
    found = sorted(entries(kind), key=lambda entry: (entry.group, entry.name))
    return "\n".join([_overview(kind, found), *_groups(kind, found)])


def _overview(kind: str, found: Sequence[Entry]) -> str:
    header = ("Name", "Family", "What it is")
    rows = [
        (
            f"[`{entry.name}`](#{_anchor(entry)})",
            "" if kind in UNGROUPED else entry.group,
            _before_shapes(entry.summary),
        )
        for entry in found
    ]
    return table(header, rows)


def _before_shapes(summary: str) -> str:
    """The summary without the shapes at its end, which an overview need not repeat."""
    return summary.replace(", ``(B,)``", "").replace(", shaped like ``x``", "")


def _groups(kind: str, found: Sequence[Entry]) -> Iterator[str]:
    if kind in UNGROUPED:
        yield from (_describe(entry, "##") for entry in found)
        return
    for group, members in groupby(found, key=lambda entry: entry.group):
        yield f"## Family {group}\n"
        yield from (_describe(entry, "###") for entry in members)


def _anchor(entry: Entry) -> str:
    return f"{entry.kind}-{entry.name}"


def _describe(entry: Entry, heading: str) -> str:
    settings = [(f"`{row.name}`", *row.facts, row.meaning) for row in entry.settings]
    columns = [(f"`{row.name}`", *row.facts, row.meaning) for row in entry.columns]
    parts = [
        f"({_anchor(entry)})=\n{heading} `{entry.name}`\n",
        entry.summary + "\n",
        entry.details + "\n" if entry.details else "",
        table(("Setting", "Default", "Values", "Meaning"), settings),
        table(("Column", "Better", "Range", "Compares models", "Meaning"), columns),
        f"Returns: {entry.returns}\n" if entry.returns and len(entry.columns) < 2 else "",
        _facts(entry),
    ]
    return "\n".join(part for part in parts if part)


def _facts(entry: Entry) -> str:
    facts = {
        "Asks for": ", ".join(f"`{name}`" for name in entry.supplied if entry.passes),
        "Passes": entry.passes,
        **entry.notes,
        "Source": entry.source,
    }
    return "".join(f"- {name}: {value}\n" for name, value in facts.items() if value)


def suites_page() -> str:
    """Each suite with what it selects."""
    parts = []
    for name, suite in suite_entries():
        rows = [
            (f"`{key}`", f"`{' '.join(str(value).split())}`")
            for key, value in suite.items()
            if key != "description"
        ]
        parts += [
            f"(suites-{name})=\n## `{name}`\n",
            f"{suite.get('description', '')}\n",
            *(f"{key}\n: {_broken(value)}\n" for key, value in rows),
        ]
    return "\n".join(parts)


def _broken(value: str) -> str:
    """A long selection with a space after each comma outside brackets, at which a page can break it."""
    depth, text = 0, ""
    for sign in value.strip("`").replace(" ", ""):
        depth += {"[": 1, "]": -1}.get(sign, 0)
        text += "`, `" if sign == "," and not depth else sign
    return f"`{text.removesuffix(', `')}`"
