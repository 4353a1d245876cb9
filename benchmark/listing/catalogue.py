"""What can be selected: the registries as text."""

from __future__ import annotations

import inspect
import re

import pandas as pd
from tqdm import tqdm

from ..components import suites
from ..components.choice import choose
from ..components.kinds import Component, Method, Metric, Model, Perturbation
from ..components.registry import datasets, methods, metrics, models, perturbations
from ..engine.passes_of import SHAPE, price
from ..report.markdown import markdown
from ..subjects import trained_models
from ..subjects.datasets import find_dataset

_DIRECTIONS = {True: "higher is better", False: "lower is better", None: "no direction"}

_PASSES = (
    f"passes: of one image ({'×'.join(map(str, SHAPE))}) through a small network, counted without its prediction;"
    " 'explained': how many images the judged method explains, which costs its own passes each\n"
)


def describe(kind: str) -> str:
    """The components of one kind: name with default settings, what it is, source."""
    if kind == "suites":
        rows = [
            {"suite": name, "what it is": suites.read(name).get("description", "")} for name in suites.names()
        ]
        return f"suites\n{markdown(pd.DataFrame(rows))}"
    registry = {
        "models": models, "methods": methods, "metrics": metrics, "perturbations": perturbations, "datasets": datasets,
    }[kind]  # fmt: skip
    same: dict[object, list[Component]] = {}
    for _, entry in sorted(
        registry.items()
    ):  # a network that was trained with several seeds has several names
        same.setdefault(entry.function, []).append(entry)
    rows = [
        row for entries in tqdm(same.values(), kind, leave=False, disable=None) for row in _rows(*entries)
    ]
    costly = kind in ("methods", "metrics", "perturbations")
    return f"{kind}\n{_PASSES if costly else ''}{markdown(pd.DataFrame(rows).fillna(''))}"


def _rows(entry: Component, *others: Component) -> list[dict[str, str]]:
    """The component's row, and one for each named column of a metric."""
    settings = choose(entry).settings_text
    row = {"name": entry.name + (f"[{settings}]" if settings else "")}
    if isinstance(entry, Metric):
        row |= {"family": entry.family, **_reads(entry, "")}
    if isinstance(entry, Model):
        row |= {
            "also": ", ".join(other.name.removeprefix(entry.name) for other in others),
            "family": entry.family,
            "trained on": ", ".join(name for name in datasets if _serves(entry, name)),
        }
    if isinstance(entry, Method):
        row["control"] = "control" if entry.control else ""
    if isinstance(entry, Method | Metric | Perturbation):
        row["passes"] = price(entry)
    rows = [{**row, "what it is": entry.summary, "source": entry.source}]
    if isinstance(entry, Metric):
        said = meanings(entry)
        rows += [
            {"name": f"{entry.name}.{name}", **_reads(entry, name), "what it is": said.get(name, "")}
            for name in entry.columns
        ]
    return rows


def _reads(metric: Metric, name: str) -> dict[str, str]:
    column = metric.column(name)
    return {
        "direction": _DIRECTIONS[column.higher_is_better],
        "compares models": "yes" if column.across_models else "no",
    }


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


def _serves(entry: Model, dataset: str) -> bool:
    return "path" not in datasets[dataset].supplied and trained_models.serves(
        entry, find_dataset(dataset)[0].name
    )
