"""What each column of each file of a run means: the dictionary that the documents and ``columns.json`` show."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def read_dictionary() -> Mapping[str, Mapping[str, Any]]:
    """By a file's name or pattern: ``row`` (what a row is), ``columns`` (the meaning of each, by name or pattern).

    Also ``note`` and ``names`` (what a file that is no table has in place of columns), where there is more to say.
    """
    words = tomllib.loads(Path(__file__).with_name("files.toml").read_text("utf-8"))
    common = words["common"]
    return {
        name: {
            **said,
            "columns": {column: common.get(text, text) for column, text in said.get("columns", {}).items()},
        }
        for name, said in words["file"].items()
    }


def unknown_columns(name: str, columns: Iterable[str]) -> list[str]:
    """The columns of a file that the dictionary does not have; a ``*`` there stands for any text."""
    known = read_dictionary().get(name, {"columns": {}})["columns"]
    open_ended = [pattern.split("*") for pattern in known if "*" in pattern]
    return [
        column
        for column in columns
        if column not in known
        and not any(column.startswith(start) and column.endswith(end) for start, end in open_ended)
    ]
