"""A report knows no component by its name, and takes no name in a table apart: both are asked of the glossary."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import xaiboard.benchmark as xb

ROOT = Path(__file__).parents[4] / "benchmark"
FILES = {
    str(path.relative_to(ROOT)): path
    for folder in ("report", "pictures")
    for path in sorted((ROOT / folder).rglob("*.py"))
}

OTHERS = {("report/health/table.py", "blurred"), ("report/health/correlations.py", "spearman")}
"""A column of a table, and an argument of pandas, that have the name of a component."""

READERS = {"read_label", "read_settings", "read_metric_column"}
TAKES_APART = {
    "partition", "rpartition", "rsplit", "removeprefix", "removesuffix", "extract", "match", "fullmatch", "search",
    "findall", "finditer",
}  # fmt: skip


def strings(tree: ast.Module) -> set[str]:
    """What the code says, without its docstrings."""
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    }


def test_there_is_something_to_read() -> None:
    assert {"report/page.py", "report/sections/methods.py", "pictures/counterfactuals.py"} <= set(FILES)
    assert "leaderboard.csv" in strings(ast.parse(FILES["report/sections/methods.py"].read_text("utf-8")))


@pytest.mark.parametrize("file", FILES)
def test_no_component_is_known_by_name(file: str) -> None:
    found = strings(ast.parse(FILES[file].read_text("utf-8")))
    names = {*xb.methods, *xb.metrics, *xb.perturbations}
    assert {(file, text) for text in found & names} <= OTHERS
    compound = {name for name in names if "_" in name}  # others may be words of a sentence
    assert not {(name, text) for text in found for name in compound if name in text}


@pytest.mark.parametrize("file", FILES)
def test_no_name_is_taken_apart(file: str) -> None:
    tree = ast.parse(FILES[file].read_text("utf-8"))
    nodes = list(ast.walk(tree))
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    methods = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    on_text = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and node.attr == "split"
        and not (isinstance(node.value, ast.Name) and node.value.id == "np")
    }
    assert not imported & READERS
    assert "re" not in modules
    assert not methods & TAKES_APART
    assert not on_text
