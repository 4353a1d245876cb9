"""Who may import whom, read from the source: each folder says what its duty is and what it may import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from import_graph import BENCHMARK, LAZY, Modules, within
from import_rules import (
    ARCHITECTURES,
    COMPONENTS,
    OPTIONAL_LIBRARIES,
    OWN_LOADERS,
    beyond_promise,
    hidden_imports,
    is_component,
    loaders,
    odd_folders,
    other_components,
    torch_at_any_depth,
    torch_on_import,
)

ROOT = Path(__file__).parents[2]
TOP = ("benchmark", "metrics", "models")

DOORS = {"api", "request", "selection", "contract", "errors"}
"""Files of ``benchmark`` itself; what is not listed here lies in a folder."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("xaiboard", *(parts[:-1] if parts[-1] == "__init__" else parts)))


FILES = {module_name(path): path for top in TOP for path in (ROOT / top).rglob("*.py")}
FOLDERS = sorted(name for name, path in FILES.items() if path.name == "__init__.py")
MODULES = Modules({name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}, FOLDERS)
OF_KINDS = sorted(name for name in FILES if any(within(name, package) for package in COMPONENTS))


def test_the_rules_see_the_imports() -> None:
    """Guards against rules that hold because nothing is parsed."""
    assert len(FILES) > 200
    assert "xaiboard.benchmark.components.decorators" in MODULES.imports("xaiboard.metrics.gini")
    assert "xaiboard.benchmark.toolkit.pixels" in MODULES.imports("xaiboard.metrics.gini")
    assert "torch" in MODULES.imports("xaiboard.benchmark.engine.values", functions=False)
    assert "xaiboard.benchmark.runs.running" not in MODULES.imports(
        "xaiboard.benchmark.cli.running", functions=False
    )
    assert "xaiboard.benchmark.runs.running" in MODULES.imports("xaiboard.benchmark.cli.running")
    plan, dry_run = "xaiboard.benchmark.engine.plan", "xaiboard.benchmark.listing.dry_run"
    assert plan not in MODULES.imports(dry_run, types=False)
    assert plan in MODULES.imports(dry_run)
    assert MODULES.promise("xaiboard.benchmark.toolkit") == {"xaiboard.benchmark.errors"}
    assert MODULES.room("xaiboard.benchmark.report.health.table") == "xaiboard.benchmark.report"
    assert MODULES.room("xaiboard.models.training.objectives.natural") == "xaiboard.models.training"


@pytest.mark.parametrize("folder", [name for name in FOLDERS if name != BENCHMARK])
def test_every_folder_says_what_its_duty_is(folder: str) -> None:
    assert MODULES.duty(folder).partition("\n")[0].endswith(".")
    assert len(MODULES.duty(folder).splitlines()) <= 4
    assert MODULES.room(folder) != BENCHMARK, "neither it nor a folder above says what it may import"


@pytest.mark.parametrize("name", sorted(name for name in FILES if MODULES.room(name) != BENCHMARK))
def test_modules_import_what_their_folder_may(name: str) -> None:
    """For type checkers alone, too: a type that must not be known is no type of that folder."""
    assert not beyond_promise(MODULES, name)


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
    found = {name for name in FILES if is_component(MODULES, name)}
    assert len(found) > 90
    assert found <= registered
    assert set(FILES) >= ARCHITECTURES
    assert not ARCHITECTURES & registered


@pytest.mark.parametrize("name", OF_KINDS)
def test_components_import_no_other_component_and_shared_imports_none(name: str) -> None:
    assert not other_components(MODULES, name)


@pytest.mark.parametrize("package", COMPONENTS)
def test_beside_the_components_of_a_kind_lies_what_they_share(package: str) -> None:
    allowed = {"training", "weights"} if package == "xaiboard.models" else {"shared"}
    assert not odd_folders(FILES[package].parent, allowed)


def test_built_in_components_are_named_once_and_in_one_place() -> None:
    named = {
        name
        for name in FILES
        for node in ast.walk(MODULES.trees[name])
        if isinstance(node, ast.Constant) and node.value in COMPONENTS
    }
    assert named == {"xaiboard.benchmark.components.builtin"}
    from xaiboard.benchmark.components.builtin import BUILTINS

    assert set(BUILTINS) == set(COMPONENTS)


@pytest.mark.parametrize("name", sorted(FILES))
def test_imports_can_be_seen(name: str) -> None:
    assert not hidden_imports(MODULES, name)


def test_files_that_load_modules_by_name_are_those_that_are_listed() -> None:
    assert {name for name in FILES if loaders(MODULES.trees[name])} == {*OWN_LOADERS, *OPTIONAL_LIBRARIES}


def without_torch() -> list[str]:
    folders = [name for name in FOLDERS if "Needs no torch." in MODULES.duty(name)]
    return sorted(name for name in FILES if any(within(name, folder) for folder in folders))


def doors_without_torch() -> list[str]:
    doors = ("cli", "cli.entry", "errors", "toolkit.files", "toolkit.labels", "toolkit.checks")
    return [f"xaiboard.benchmark.{door}" for door in doors]


@pytest.mark.parametrize("name", [*without_torch(), *doors_without_torch()])
def test_tables_need_no_torch(name: str) -> None:
    assert not torch_on_import(MODULES, name)
    assert BENCHMARK in MODULES.reached(name)


@pytest.mark.parametrize("name", without_torch())
def test_folders_without_torch_import_none_inside_functions_either(name: str) -> None:
    assert not torch_at_any_depth(MODULES, name)


def test_what_is_let_through_is_there_and_is_all_that_components_import_late() -> None:
    late = {
        (name, module)
        for name in without_torch()
        if within(name, "xaiboard.benchmark.components")
        for module in MODULES.imports(name, types=False) - MODULES.imports(name, functions=False, types=False)
    }
    assert late == set(LAZY.items())


def test_folders_without_torch_are_those_that_rebuild_tables() -> None:
    assert {MODULES.room(name) for name in without_torch()} >= {
        f"xaiboard.benchmark.{folder}" for folder in ("components", "store", "report", "listing")
    }


def test_torch_is_seen_through_other_modules() -> None:
    assert "torch" in MODULES.reached("xaiboard.benchmark.engine.runner")
    assert "torch" in MODULES.reached("xaiboard.benchmark.pictures.perturbed_maps")


def test_no_cycles_of_imports() -> None:
    """Imports inside functions count too; packages aside, since their modules are in them."""
    modules = set(FILES) - set(FOLDERS)
    left = {name: MODULES.imports(name) & modules - {name} for name in modules}
    while free := {name for name, needed in left.items() if not needed}:
        left = {name: needed - free for name, needed in left.items() if name not in free}
    assert not left


def test_no_cycles_between_folders() -> None:
    """A folder is a room: arrows between rooms go one way."""
    left: dict[str, set[str]] = {}
    for name in FILES:
        if (own := MODULES.room(name)) != BENCHMARK:
            imported = MODULES.imports(name, functions=False, types=False) & set(FILES)
            left.setdefault(own, set()).update({MODULES.room(each) for each in imported} - {own, BENCHMARK})
    while free := {name for name, needed in left.items() if not needed}:
        left = {name: needed - free for name, needed in left.items() if name not in free}
    assert not left
