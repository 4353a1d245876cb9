"""The catalogue of built-in components: a generated file, so that listing them imports no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..components import suites
from ..toolkit.files import read_json, write_file

FILE = Path(__file__).with_name("catalogue.json")

Catalogue = dict[str, list[dict[str, Any]]]
"""Entries by kind: ``models``, ``methods``, ``metrics``, ``perturbations``, ``datasets``, ``suites``."""


def read_catalogue() -> Catalogue:
    """The built-in components as they were when the file was generated, and the suites as they are."""
    return {**read_json(FILE), **read_suites()}


def read_suites() -> Catalogue:
    """The suites that come with the package."""
    return {
        "suites": [
            {"name": name, "summary": suites.read(name).get("description", "")} for name in suites.names()
        ]
    }


def write_catalogue(catalogue: Catalogue) -> Path:
    """Replaces the generated file; returns its path."""
    text = json.dumps(catalogue, indent=1, ensure_ascii=False) + "\n"
    write_file(FILE, lambda path: path.write_text(text, "utf-8"))
    return FILE
