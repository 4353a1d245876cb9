"""The reference of the files of a run: what every column means."""

from __future__ import annotations

from xaiboard.benchmark.store.dictionary import read_dictionary

from .tables import table


def files_page() -> str:
    """An overview of the files, then each of them with its columns or keys."""
    files = read_dictionary()
    rows = [(f"[`{name}`](#file-{_anchor(name)})", said["row"]) for name, said in files.items()]
    parts = [table(("File", "What it holds"), rows)]
    for name, said in files.items():
        columns = [(f"`{column}`", text) for column, text in said["columns"].items()]
        parts += [
            f"(file-{_anchor(name)})=\n## `{name}`\n",
            f"{said['row']} {said.get('note', '')}\n",
            table((said.get("names", "Column"), "Meaning"), columns),
        ]
    return "\n".join(parts)


def _anchor(name: str) -> str:
    return name.replace("/", "-").replace(".", "-").replace("*", "any")
