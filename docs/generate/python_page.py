"""The reference of the Python interface: the public names of ``xaiboard.benchmark``."""

from __future__ import annotations

import inspect
import re

import xaiboard.benchmark as xb
from xaiboard.benchmark.components.registry import Registry

from .docstring import Sections, sections
from .tables import table

GROUPS = {
    "Running": ("run", "Run", "Results", "check"),
    "The parts alone": ("load_model", "load_data", "explain"),
    "Registering components": ("dataset", "model", "method", "metric", "perturbation", "section"),
    "What components use": ("Column", "Weighted", "Data", "Reference", "SampleRng", "XaiboardError"),
    "Registries": ("datasets", "models", "methods", "metrics", "perturbations"),
}


def python_page() -> str:
    """Each public name with its signature and docstring.

    Raises:
        ValueError: a public name that no group has.
    """
    grouped = [name for names in GROUPS.values() for name in names]
    if set(grouped) != set(xb.__all__):
        raise ValueError(
            "xaiboard.benchmark exports other names than GROUPS of docs/generate/python_page.py has:"
            f" {', '.join(sorted(set(grouped) ^ set(xb.__all__)))}"
        )
    parts = []
    for group, names in GROUPS.items():
        parts.append(f"## {group}\n")
        if group == "Registries":
            parts.append(_registries(names))
        else:
            parts += [_describe(name) for name in names]
    return "\n".join(parts)


def _registries(names: tuple[str, ...]) -> str:
    rows = []
    for name in names:
        known = getattr(xb, name)
        if not isinstance(known, Registry):
            raise TypeError(f"'xaiboard.benchmark.{name}' is no registry")
        rows.append((f"`xb.{name}`", str(len(known)), f"`{'`, `'.join(sorted(known)[:3])}`, …"))
    return (
        "Mappings from names to components. An entry is called with what it needs by keyword, as in"
        ' `xb.metrics["gini"](attribution=maps)`.\n\n' + table(("Registry", "Entries", "Such as"), rows)
    )


def _describe(name: str) -> str:
    thing = getattr(xb, name)
    said = sections(inspect.getdoc(thing) or "")
    parts = [
        f"### `{name}`\n",
        _signature(name, thing),
        said["summary"] + "\n",
        said["details"] + "\n",
        _lists(said),
    ]
    if inspect.isclass(thing):
        parts.append(table(("Member", "What it is"), _members(thing)))
    return "\n".join(part for part in parts if part.strip())


def _lists(said: Sections) -> str:
    parts = [table(("Parameter", "Meaning"), [(f"`{name}`", text) for name, text in said["args"].items()])]
    if said["returns"]:
        parts.append(f"Returns: {said['returns']}\n")
    parts += [f"Raises `{name}`: {text}\n" for name, text in said["raises"].items()]
    return "\n".join(part for part in parts if part)


def _signature(name: str, thing: object) -> str:
    """The signature as it is written, one parameter a line where it is long, without defaults that are functions."""
    if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, Exception)):
        return ""
    signature = inspect.signature(thing)
    words = [_parameter(parameter) for parameter in signature.parameters.values()]
    stars = [
        place for place, each in enumerate(signature.parameters.values()) if each.kind is each.KEYWORD_ONLY
    ]
    if stars:
        words.insert(stars[0], "*")
    returns = "" if inspect.isclass(thing) else f" -> {_type(signature.return_annotation)}"
    text = f"{name}({', '.join(words)}){returns}"
    if len(text) > 90:
        text = f"{name}(\n    " + ",\n    ".join(words) + f",\n){returns}"
    return f"```text\n{text}\n```\n"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{stars}{parameter.name}: {_type(parameter.annotation)}"
    if parameter.default is parameter.empty:
        return text
    return f"{text} = {'…' if callable(parameter.default) else repr(parameter.default)}"


def _type(annotation: object) -> str:
    """An annotation without the modules of its names."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", text).replace("~", "")


def _members(thing: type) -> list[tuple[str, str]]:
    """Public methods and properties that the class itself documents."""
    found = []
    for name, member in vars(thing).items():
        text = inspect.getdoc(member) if not name.startswith("_") and not isinstance(member, str) else None
        documented = callable(member) or isinstance(member, property) or hasattr(member, "func")
        if text and documented:
            found.append((f"`{name}`", sections(text)["summary"]))
    return found
