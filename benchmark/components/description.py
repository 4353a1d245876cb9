"""A component as plain data: what its entry declares and what its docstring says. No torch, ready for JSON."""

from __future__ import annotations

import inspect
import re
from typing import Any

from ..toolkit.labels import setting_text
from ..toolkit.score_ranges import range_to_json
from .choice import choose
from .kinds import Component, Dataset, Method, Metric, Model

DIRECTIONS = {True: "higher is better", False: "lower is better", None: "no direction"}


def describe_component(entry: Component) -> dict[str, Any]:
    """The entry of a catalogue: name, settings, sources and, for a metric, its columns."""
    described: dict[str, Any] = {
        "name": entry.name,
        "summary": entry.summary,
        "source": entry.source,
        "version": entry.version,
        "supplied": list(entry.supplied),
        "settings_text": choose(entry).settings_text,
        "settings": [
            {
                "name": setting.name,
                "default": setting_text(setting.default),
                **({"grows": setting.grows} if setting.grows else {}),
                "choices": [str(choice) for choice in setting.choices],
                "range": setting.range,
                "meaning": setting.meaning,
            }
            for setting in entry.settings.values()
        ],
        "roles": list(entry.roles),
    }
    match entry:
        case Metric():
            described |= {"family": entry.family, "columns": _columns(entry)}
        case Model():
            described |= {"family": entry.family, "lipschitz": entry.lipschitz}
        case Method():
            described["control"] = entry.control
        case Dataset():
            described["remote"] = entry.remote
    return described


def _columns(metric: Metric) -> list[dict[str, Any]]:
    """The plain score's column, whose name is empty, and the named ones."""
    said = {"": metric.summary, **meanings(metric)}
    described = []
    for name in ("", *metric.columns):
        column = metric.column(name)
        described.append(
            {
                "name": name,
                "direction": DIRECTIONS[column.higher_is_better],
                "compares models": "yes" if column.across_models else "no",
                "range": range_to_json(column.range),
                **({"reads": list(column.reads)} if column.reads else {}),
                "meaning": said.get(name, ""),
            }
        )
    return described


def meanings(metric: Metric) -> dict[str, str]:
    """What the docstring says of each named column: what follows its first mention, up to the next column.

    The mention is ````name````, in the section ``Returns:`` if there is one. Names in a row mean the same.
    """
    text = " ".join((inspect.getdoc(metric.function) or "").split())
    text = text.partition("Returns:")[2].partition("Raises:")[0] or text
    mention = "|".join(f"``{re.escape(name)}``" for name in metric.columns)
    _, *parts = re.split(f"({mention})", text) if mention else [text]
    said: dict[str, str] = {}
    waiting: list[str] = []
    for name, after in zip(parts[::2], parts[1::2], strict=True):
        waiting.append(name.strip("`"))
        meaning = _clause(after)
        if meaning:
            said = {**dict.fromkeys(waiting, meaning), **said}
            waiting = []
    return said


def _clause(text: str) -> str:
    """The first sentence, or what comes before another name; without the words that join it to what follows."""
    clause = re.split(r"\.(?: |$)|; ``", text)[0].strip(" ,;:")
    clause = re.sub(r"[ ,]*\b(and|with|or)$", "", clause).strip(" ,;:")
    return clause[1:-1] if clause.startswith("(") and clause.endswith(")") else clause
