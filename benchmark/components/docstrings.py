"""What a docstring in Google's style says of each argument."""

from __future__ import annotations

import inspect
import re


def meanings_of_arguments(documented: object) -> dict[str, str]:
    """Text of each entry of the section ``Args:`` by name, in one line; of a class, its bases' too.

    Args:
        documented: a function or a class.
    """
    if isinstance(documented, type):
        texts = [vars(each).get("__doc__") for each in reversed(documented.__mro__)]
    else:
        texts = [getattr(documented, "__doc__", None)]
    return {name: said for text in texts for name, said in _entries(text or "").items()}


def _entries(text: str) -> dict[str, str]:
    found = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n(?=[ \t]))*)", inspect.cleandoc(text), re.MULTILINE)
    if not found:
        return {}
    entries: dict[str, list[str]] = {}
    name = ""
    for line in inspect.cleandoc(found[1]).splitlines():
        start = re.match(r"(\w+):\s*(.*)", line)
        if start:
            name = start[1]
            entries[name] = [start[2]]
        elif name:
            entries[name].append(line.strip())
    return {name: " ".join(filter(None, lines)) for name, lines in entries.items()}
