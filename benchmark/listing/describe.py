"""A catalogue as text that fits a terminal: a line or two for each component, and all that is known of single ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from textwrap import wrap
from typing import Any

from ..components.signature import OF_CLASS
from ..errors import unknown
from ..toolkit.inert import one_line
from ..toolkit.score_ranges import range_from_json, range_words
from ..toolkit.terminal import line_width
from .catalogue import Catalogue

NAME = 30
"""Signs of a name before what is said of it; a longer name has a line of its own."""

SIGNS = {"higher is better": "↑", "lower is better": "↓", "no direction": "·"}

HEADS = {
    "metrics": ": ↑ higher is better, ↓ lower, · no direction; ↔ compares models, the others rank methods of one",
    "methods": ": † control; forward and backward passes of one image (1×28×28)",
    "perturbations": ": forward and backward passes for one image (1×28×28), images that the judged method explains",
}
"""What stands behind the name of a kind."""

Entry = Mapping[str, Any]


def find(catalogue: Catalogue, kind: str | None, pattern: str | None) -> Catalogue:
    """The components of a kind, or of all, whose names match a pattern, by kind; kinds without any are left out.

    Raises:
        XaiboardError: there is no such kind, or none of that name.
    """
    if kind is not None and kind not in catalogue:
        raise unknown("kind of component", kind, catalogue)
    of_kind = catalogue if kind is None else {kind: catalogue[kind]}
    if pattern is None:
        return of_kind
    found = {
        each: [entry for entry in entries if fnmatchcase(entry["name"], pattern)]
        for each, entries in of_kind.items()
    }
    if not any(found.values()):
        names = [entry["name"] for entries in of_kind.values() for entry in entries]
        raise unknown(kind.removesuffix("s") if kind else "component", pattern, names)
    return {each: entries for each, entries in found.items() if entries}


def describe_kind(catalogue: Catalogue, kind: str, *, columns: bool = True) -> str:
    """The components of one kind: name and what it is, in lines that fit the terminal.

    Args:
        catalogue: what there is.
        kind: one of its kinds.
        columns: whether the named columns of metrics have lines too.
    """
    lines = wrap(kind + HEADS.get(kind, ""), line_width(), subsequent_indent="    ")
    for entry in catalogue[kind]:
        for name, said in list(_rows(entry))[: None if columns else 1]:
            lines += _beside(name, said)
    return "\n".join(lines) + "\n"


def describe_entry(entry: Entry, kind: str) -> str:
    """All that is known of one component, and a command that uses it."""
    lines = wrap(
        f"{kind.removesuffix('s')} {entry['name']}: {entry['summary']}", line_width(), subsequent_indent="  "
    )
    facts = {
        "family": entry.get("family"), "source": entry.get("source"), "passes": _passes(entry),
        "control": "yes: a method that does not beat it explains nothing" if entry.get("control") else "",
        "trained on": ", ".join(entry.get("trained_on", ())),
        "other seeds": ", ".join(entry["name"] + suffix for suffix in entry.get("also", ())),
        "asks for": ", ".join(entry.get("supplied", ())),
    }  # fmt: skip
    for name, fact in facts.items():
        lines += wrap(f"{name}: {fact}", line_width(), subsequent_indent="  ") if fact else []
    for setting in entry.get("settings", ()):
        allowed = setting["range"] or ", ".join(setting["choices"])
        default = f": {setting['grows']}" if "grows" in setting else f"={setting['default']}"
        head = f"setting {setting['name']}{default}" + (f" ({allowed})" if allowed else "")
        lines += [*wrap(head, line_width(), subsequent_indent="  "), *_indented(setting["meaning"])]
    for column in entry.get("columns", ()):
        name = ".".join(filter(None, (entry["name"], column["name"])))
        compares = "compares models" if column["compares models"] == "yes" else "within one model"
        bounds = range_words(range_from_json(column["range"]))
        head = f"column {name} ({column['direction']}, {compares}, {bounds})"
        head += ", further passes" if "reads" in column else ""
        lines += [*wrap(head, line_width(), subsequent_indent="  "), *_indented(column["meaning"])]
    return "\n".join([*lines, f"example: {example(entry, kind)}"]) + "\n"


def example(entry: Entry, kind: str) -> str:
    """A command that uses a component, with its first setting where it has one."""
    name = entry["name"]
    if kind == "datasets" and "path" in entry["supplied"]:
        name += ":PATH"
    if first := next(iter(entry.get("settings", ())), None):
        name = f'"{name}[{first["name"]}={first["default"]}]"'
    beside = {
        "models": f" --dataset {next(iter(entry.get('trained_on', ())), 'DATASET')}",
        "perturbations": " --metrics topk_intersection",
    }
    option = kind.removesuffix("s") if kind in ("suites", "datasets") else kind
    return f"xaiboard run --{option} {name}{beside.get(kind, '')}"


def _rows(entry: Entry) -> Iterable[tuple[str, str]]:
    """The component's name and what is said of it; the same for each named column of a metric."""
    control = " †" if entry.get("control") else ""
    family = f"[{entry['family']}] " if "family" in entry else ""
    cost = f" ({entry['passes']})" if entry.get("passes") and "columns" not in entry else ""
    plain, *named = entry.get("columns") or [{}]
    yield entry["name"] + control, _reads(plain) + family + entry["summary"] + cost
    for column in named:
        yield f"  .{column['name']}", _reads(column) + column["meaning"]


def _reads(column: Mapping[str, str]) -> str:
    """Direction of a column, and whether it compares models, as signs; nothing where there is no column."""
    if not column:
        return ""
    return SIGNS[column["direction"]] + ("↔ " if column["compares models"] == "yes" else "  ")


def _passes(entry: Entry) -> str:
    """What a component costs, in words."""
    if not entry.get("passes"):
        return ""
    said = f"{entry['passes']} for one image (1×28×28) on a small network, its prediction not counted"
    reads = {value for column in entry.get("columns", ()) for value in column.get("reads", ())}
    said += ", all columns" if reads - {OF_CLASS} else ""
    said += "; explained: images that the judged method explains" if "explained" in said else ""
    return said + (
        "; for columns of the class also the background images, once for all" if OF_CLASS in reads else ""
    )


def _beside(name: str, said: str) -> list[str]:
    """A name, and beside it what is said of it."""
    before = f"  {one_line(name)}".ljust(NAME)
    text = wrap(one_line(said), line_width() - NAME) or [""]
    if len(before) > NAME:
        return [before[: line_width()], *(" " * NAME + line for line in text)]
    return [(before + text[0]).rstrip(), *(" " * NAME + line for line in text[1:])]


def _indented(text: str) -> list[str]:
    return wrap(text, line_width(), initial_indent="    ", subsequent_indent="    ")
