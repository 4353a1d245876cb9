"""A catalogue as text: a table for each kind, and all that is known of single components."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from textwrap import wrap
from typing import Any

from ..errors import unknown
from ..toolkit.score_ranges import range_from_json, range_words
from ..toolkit.text_table import table_of
from .catalogue import Catalogue

PASSES = (
    "passes: of one image (1×28×28) through a small network, counted without its prediction; 'explained': how many"
    " images the judged method explains, which costs its own passes each\n"
)

WIDTH = 100
"""Characters of a line of prose."""

Entry = Mapping[str, Any]


def describe_kind(catalogue: Catalogue, kind: str) -> str:
    """The components of one kind: name with default settings, what it is, source."""
    if kind == "suites":
        rows = [{"suite": entry["name"], "what it is": entry["summary"]} for entry in catalogue[kind]]
        return f"suites\n{table_of(rows)}"
    rows = [row for entry in catalogue[kind] for row in _rows(entry)]
    costly = any("passes" in entry for entry in catalogue[kind])
    return f"{kind}\n{PASSES if costly else ''}{table_of(rows)}"


def describe_entries(catalogue: Catalogue, kind: str, pattern: str) -> str:
    """All that is known of the components whose names match a pattern.

    Raises:
        XaiboardError: there are none.
    """
    found = [entry for entry in catalogue[kind] if fnmatchcase(entry["name"], pattern)]
    if not found:
        raise unknown(kind.removesuffix("s"), pattern, [entry["name"] for entry in catalogue[kind]])
    return "\n".join(_whole(entry) for entry in found)


def _rows(entry: Entry) -> list[dict[str, str]]:
    """The component's row, and one for each named column of a metric."""
    settings = entry["settings_text"]
    row = {"name": entry["name"] + (f"[{settings}]" if settings else "")}
    plain, *named = entry.get("columns") or [{}]
    if "also" in entry:
        row["also"] = ", ".join(entry["also"])
    if "family" in entry:
        row["family"] = entry["family"]
    row |= _reads(plain)
    if "trained_on" in entry:
        row["trained on"] = ", ".join(entry["trained_on"])
    if "control" in entry:
        row["control"] = "control" if entry["control"] else ""
    if "passes" in entry:
        row["passes"] = entry["passes"]
    rows = [{**row, "what it is": entry["summary"], "source": entry["source"]}]
    for column in named:
        name = f"{entry['name']}.{column['name']}"
        rows.append({"name": name, **_reads(column), "what it is": column["meaning"]})
    return rows


def _reads(column: Mapping[str, str]) -> dict[str, str]:
    return {name: column[name] for name in ("direction", "compares models") if name in column}


def _whole(entry: Entry) -> str:
    lines = [f"{entry['name']}: {entry['summary']}"]
    for fact in ("source", "family", "passes"):
        if entry.get(fact):
            lines.append(f"{fact}: {entry[fact]}")
    for setting in entry.get("settings", ()):
        allowed = setting["range"] or ", ".join(setting["choices"])
        head = f"setting {setting['name']}={setting['default']}" + (f" ({allowed})" if allowed else "")
        lines += [head, *_indented(setting["meaning"])]
    for column in entry.get("columns", ()):
        name = ".".join(filter(None, (entry["name"], column["name"])))
        compares = "compares models" if column["compares models"] == "yes" else "within one model"
        bounds = range_words(range_from_json(column["range"]))
        lines += [
            f"column {name} ({column['direction']}, {compares}, {bounds})",
            *_indented(column["meaning"]),
        ]
    if "trained_on" in entry:
        lines.append(f"trained on: {', '.join(entry['trained_on'])}")
    return "\n".join(lines) + "\n"


def _indented(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")
