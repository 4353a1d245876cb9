"""What ``--json`` prints: one document, in which a missing number is null and an infinite one the text inf or -inf."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for machines.")
"""The option of the commands that can."""


def echo_json(document: Mapping[str, Any]) -> None:
    """Prints a document; tables in it are lists of rows by column."""
    click.echo(json.dumps(_plain(document), ensure_ascii=False, allow_nan=False, indent=1))


def _plain(value: Any) -> Any:  # noqa: ANN401 - the border to JSON
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if hasattr(value, "to_dict"):  # a table of pandas, which this module need not import
        return [_plain(row) for row in value.to_dict("records")]
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):  # a number of NumPy
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if isinstance(value, (bool, int, float, str)) else None
