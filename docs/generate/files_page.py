"""The reference of the files of a run: what every column means, from ``files.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from .tables import table

WORDS = tomllib.loads((Path(__file__).parent / "files.toml").read_text("utf-8"))


def files_page() -> str:
    """An overview of the files, then each of them with its columns or keys."""
    files = WORDS["file"]
    rows = [(f"[`{name}`](#file-{_anchor(name)})", said["row"]) for name, said in files.items()]
    parts = [table(("File", "What it holds"), rows)]
    for name, said in files.items():
        columns = [
            (f"`{column}`", WORDS["common"].get(text, text)) for column, text in said["columns"].items()
        ]
        parts += [
            f"(file-{_anchor(name)})=\n## `{name}`\n",
            f"{said['row']} {said.get('note', '')}\n",
            table((said.get("names", "Column"), "Meaning"), columns),
        ]
    return "\n".join(parts)


def _anchor(name: str) -> str:
    return name.replace("/", "-").replace(".", "-").replace("*", "any")
