"""Docstrings in Google's style, taken apart and turned into Markdown."""

from __future__ import annotations

import re
from typing import TypedDict

HEADINGS = ("Args", "Returns", "Raises", "Yields")


class Sections(TypedDict):
    """The parts of a docstring in Markdown; ``args`` and ``raises`` by name."""

    summary: str
    details: str
    args: dict[str, str]
    returns: str
    raises: dict[str, str]


def sections(text: str) -> Sections:
    """The parts of a docstring whose indentation has been removed."""
    parts = re.split(rf"^({'|'.join(HEADINGS)}):\n", text, flags=re.MULTILINE)
    summary, _, rest = parts[0].partition("\n\n")
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    bodies = {name: _section(body) for name, body in found.items()}
    details = rest + "".join(after for _, after in bodies.values())
    returned = bodies.get("Returns", bodies.get("Yields", ("", "")))[0]
    return {
        "summary": markdown(" ".join(summary.split())),
        "details": markdown(details.strip()),
        "args": named(bodies.get("Args", ("", ""))[0]),
        "returns": markdown(" ".join(returned.split())),
        "raises": named(bodies.get("Raises", ("", ""))[0]),
    }


def _section(body: str) -> tuple[str, str]:
    """The indented lines of a section, and the text after them."""
    lines = body.splitlines()
    end = next((i for i, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    return "\n".join(lines[:end]), "\n" + "\n".join(lines[end:])


def named(body: str) -> dict[str, str]:
    """``name: text`` by name; lines that are indented further belong to the name above."""
    lines = [line[4:] for line in body.splitlines() if line.strip()]
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        start = re.match(r"(\w+): (.*)", line)
        if start and not line.startswith(" "):
            name = start[1]
            found[name] = start[2]
        elif name:
            found[name] += " " + line.strip()
    return {name: markdown(meaning) for name, meaning in found.items()}


def markdown(text: str) -> str:
    """References to code become code: their last name."""
    return re.sub(r":\w+:`~?([\w.]+)`", lambda found: f"`{found[1].rpartition('.')[2]}`", text)
