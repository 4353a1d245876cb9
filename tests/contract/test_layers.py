"""Who may import whom, read from the source: each folder says what its duty is and what it may import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = ("benchmark", "metrics", "models")
COMPONENTS = (
    "xaiboard.benchmark.datasets", "xaiboard.benchmark.methods", "xaiboard.benchmark.perturbations",
    "xaiboard.metrics", "xaiboard.models",
)  # fmt: skip

DOORS = {"cli", "api", "request", "contract", "errors"}
"""Files of ``benchmark`` itself; what is not listed here lies in a folder."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("xaiboard", *(parts[:-1] if parts[-1] == "__init__" else parts)))


FILES = {module_name(path): path for top in TOP for path in (ROOT / top).rglob("*.py")}
FOLDERS = sorted(name for name, path in FILES.items() if path.name == "__init__.py")


def nodes(tree: ast.AST, *, top_only: bool) -> Iterator[ast.AST]:
    """Statements that run on import if ``top_only``: not those of functions, nor for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            if not top_only:
                yield from nodes(node, top_only=False)
            continue
        yield node
        yield from nodes(node, top_only=top_only)


def tree_of(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text("utf-8"))


@cache
def imports(name: str, *, top_only: bool = False) -> frozenset[str]:
    """Full names of the modules that a module imports; of foreign ones the first part counts."""
    found = set()
    package = name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in nodes(tree_of(name), top_only=top_only):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{module}.{alias.name}"
                found.add(full if full in FILES else module)
    return frozenset(found)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def is_component(name: str) -> bool:
    return any(within(name, package) for package in COMPONENTS)


def duty(folder: str) -> str:
    return ast.get_docstring(tree_of(folder)) or ""


def promise(folder: str) -> set[str] | None:
    """What the folder says that it may import, as full names; None where it leaves that to the one above."""
    said = re.search(r"May import: (.*)\.$", duty(folder), re.MULTILINE)
    if not said:
        return None
    return {
        f"xaiboard.{name}" if within(name, "models") else f"xaiboard.benchmark.{name}"
        for name in said[1].split(", ")
    }


def room(name: str) -> str:
    """The nearest folder around a module that says what it may import, or ``xaiboard.benchmark``."""
    while name != "xaiboard.benchmark" and (name not in FOLDERS or promise(name) is None):
        name = name.rpartition(".")[0]
    return name


def test_the_rules_see_the_imports() -> None:
    """Guards against rules that hold because nothing is parsed."""
    assert len(FILES) > 200
    assert "xaiboard.benchmark.components.decorators" in imports("xaiboard.metrics.gini")
    assert "xaiboard.benchmark.toolkit.pixels" in imports("xaiboard.metrics.gini")
    assert "torch" in imports("xaiboard.benchmark.engine.values", top_only=True)
    assert "xaiboard.benchmark.api" not in imports("xaiboard.benchmark.cli", top_only=True)
    assert "xaiboard.benchmark.api" in imports("xaiboard.benchmark.cli")
    assert "xaiboard.benchmark.engine.plan" not in imports(
        "xaiboard.benchmark.listing.dry_run", top_only=True
    )
    assert promise("xaiboard.benchmark.toolkit") == {"xaiboard.benchmark.errors"}
    assert room("xaiboard.benchmark.report.health.table") == "xaiboard.benchmark.report"
    assert room("xaiboard.models.training.objectives.natural") == "xaiboard.models.training"


@pytest.mark.parametrize("folder", [name for name in FOLDERS if name != "xaiboard.benchmark"])
def test_every_folder_says_what_its_duty_is(folder: str) -> None:
    assert duty(folder).partition("\n")[0].endswith(".")
    assert len(duty(folder).splitlines()) <= 4
    assert room(folder) != "xaiboard.benchmark", "neither it nor a folder above says what it may import"


@pytest.mark.parametrize("name", sorted(name for name in FILES if room(name) != "xaiboard.benchmark"))
def test_modules_import_what_their_folder_may(name: str) -> None:
    """For type checkers alone, too: a type that must not be known is no type of that folder."""
    own = room(name)
    allowed = {own, *(promise(own) or ())}
    typed_only = imports(name) - imports(name, top_only=True) if within(own, LISTING) else set()
    ours = {module for module in imports(name) - typed_only if module.partition(".")[0] == "xaiboard"}
    assert not {module for module in ours if not any(within(module, each) for each in allowed)}


LISTING = "xaiboard.benchmark.listing"
"""Prints a plan, whose type it names: the one folder whose annotations reach higher than its imports."""


def test_benchmark_itself_is_the_door() -> None:
    names = {path.stem for path in (ROOT / "benchmark").glob("*.py")}
    assert names == DOORS | {"__init__", "__main__"}


def test_every_module_but_shared_ones_is_a_component() -> None:
    from xaiboard.benchmark import datasets, methods, metrics, models, perturbations
    from xaiboard.benchmark.components.kinds import Component

    kinds: tuple[dict[str, Component], ...] = tuple(
        dict(kind.items()) for kind in (datasets, methods, metrics, models, perturbations)
    )
    registered = {entry.function.__module__ for kind in kinds for entry in kind.values()}
    for package in COMPONENTS[:-1]:
        modules = {name for name in FILES if name.rpartition(".")[0] == package and name not in FOLDERS}
        assert modules <= registered
    architectures = {"xaiboard.models.architectures", "xaiboard.models.layers"}
    entries = {name for name in FILES if name.rpartition(".")[0] == "xaiboard.models" and name not in FOLDERS}
    assert entries <= registered | architectures


def test_built_in_components_are_named_once_and_in_one_place() -> None:
    named = {
        name
        for name in FILES
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Constant) and node.value in COMPONENTS
    }
    assert named == {"xaiboard.benchmark.components.builtin"}
    from xaiboard.benchmark.components.builtin import BUILTINS

    assert set(BUILTINS) == set(COMPONENTS)


def reached(name: str) -> set[str]:
    """Modules that are imported when ``name`` is, packages on the way included."""
    seen, todo = set(), [name]
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        if module in FILES:
            todo += imports(module, top_only=True)
            parts = module.split(".")
            todo += [parent for end in range(1, len(parts)) if (parent := ".".join(parts[:end])) in FILES]
    return seen


def torchless() -> list[str]:
    folders = [name for name in FOLDERS if "Needs no torch." in duty(name)]
    doors = ("cli", "errors", "toolkit.files", "toolkit.labels", "toolkit.checks")
    inside = [name for name in FILES if any(within(name, folder) for folder in folders)]
    return sorted([*inside, *(f"xaiboard.benchmark.{door}" for door in doors)])


@pytest.mark.parametrize("name", torchless())
def test_tables_need_no_torch(name: str) -> None:
    tops = {module.partition(".")[0] for module in reached(name)}
    assert not tops & {"torch", "captum", "safetensors", "deel"}
    assert not any(within(module, "xaiboard.benchmark.engine") for module in reached(name))
    assert "xaiboard.benchmark" in reached(name)


def test_folders_without_torch_are_those_that_rebuild_tables() -> None:
    assert {room(name) for name in torchless()} >= {
        f"xaiboard.benchmark.{folder}" for folder in ("components", "store", "report", "listing")
    }


def test_torch_is_seen_through_other_modules() -> None:
    assert "torch" in reached("xaiboard.benchmark.engine.runner")
    assert "torch" in reached("xaiboard.benchmark.pictures.gallery")


def test_no_cycles_of_imports() -> None:
    """Imports inside functions count too; packages aside, since their modules are in them."""
    modules = {name for name, path in FILES.items() if path.name != "__init__.py"}
    left = {name: imports(name) & modules - {name} for name in modules}
    while free := {name for name, needed in left.items() if not needed}:
        left = {name: needed - free for name, needed in left.items() if name not in free}
    assert not left


def test_no_cycles_between_folders() -> None:
    """A folder is a room: arrows between rooms go one way."""
    left: dict[str, set[str]] = {}
    for name in FILES:
        if room(name) != "xaiboard.benchmark":
            needed = {room(module) for module in imports(name, top_only=True) if module in FILES}
            left.setdefault(room(name), set()).update(needed - {room(name), "xaiboard.benchmark"})
    while free := {name for name, needed in left.items() if not needed}:
        left = {name: needed - free for name, needed in left.items() if name not in free}
    assert not left
