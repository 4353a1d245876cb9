"""Who may import whom, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP = ("benchmark", "metrics", "models")
COMPONENTS = (
    "xaiboard.benchmark.datasets", "xaiboard.benchmark.methods", "xaiboard.benchmark.perturbations",
    "xaiboard.metrics", "xaiboard.models",
)  # fmt: skip

DOORS = {
    "attacks", "components", "data", "distances", "errors", "registry", "rng",
    "diverse", "pixels", "released", "sets",
}  # fmt: skip
"""What a component may import of the engine: decorators, types, the error, attacks, sets of pixels."""

FOR_TRAINING = {"lipschitz", "names", "zoo"}
"""What recipes may import besides: bounds to report, the digest and the file name of a card."""

TORCHLESS = (
    "store", "tables", "leaderboard", "statistics", "report", "curves", "errors", "components", "registry",
    "selection", "plugins", "suites", "cli", "convergence", "attribution_robustness", "attribution_figures",
)  # fmt: skip


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("xaiboard", *(parts[:-1] if parts[-1] == "__init__" else parts)))


FILES = {module_name(path): path for top in TOP for path in (ROOT / top).rglob("*.py")}


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


def imports(name: str, *, top_only: bool = False) -> set[str]:
    """Full names of the modules that a module imports; of foreign ones the first part counts."""
    path, found = FILES[name], set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in nodes(ast.parse(path.read_text()), top_only=top_only):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{module}.{alias.name}"
                found.add(full if full in FILES else module)
    return found


def is_component(name: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in COMPONENTS)


def engine() -> list[str]:
    return sorted(name for name in FILES if not is_component(name))


def test_the_rules_see_the_imports() -> None:
    """Guards against rules that hold because nothing is parsed."""
    assert len(engine()) > 25
    assert "xaiboard.benchmark.registry" in imports("xaiboard.metrics.gini")
    assert "xaiboard.benchmark.pixels" in imports("xaiboard.metrics.gini")
    assert "xaiboard.benchmark.datasets.digits" in imports("xaiboard.benchmark.datasets")
    assert "torch" in imports("xaiboard.benchmark.work", top_only=True)
    assert "xaiboard.benchmark.api" not in imports("xaiboard.benchmark.cli", top_only=True)
    assert "xaiboard.benchmark.api" in imports("xaiboard.benchmark.cli")
    assert "xaiboard.benchmark.plan" not in imports("xaiboard.benchmark.report", top_only=True)


@pytest.mark.parametrize("name", engine())
def test_the_engine_imports_no_component(name: str) -> None:
    assert not {module for module in imports(name) if is_component(module)}


def test_built_in_components_are_named_once_and_in_one_place() -> None:
    named = {
        name
        for name in engine()
        for node in ast.walk(ast.parse(FILES[name].read_text()))
        if isinstance(node, ast.Constant) and node.value in COMPONENTS
    }
    assert named == {"xaiboard.benchmark.plugins"}
    from xaiboard.benchmark.plugins import BUILTINS

    assert set(BUILTINS) == set(COMPONENTS)


def own_package(name: str) -> str:
    return next(package for package in COMPONENTS if name == package or name.startswith(f"{package}."))


@pytest.mark.parametrize("name", sorted(filter(is_component, FILES)))
def test_components_import_decorators_types_and_their_own_helpers(name: str) -> None:
    package = own_package(name)
    allowed = {f"xaiboard.benchmark.{door}" for door in DOORS}
    if package == "xaiboard.models":
        allowed |= {f"xaiboard.benchmark.{door}" for door in FOR_TRAINING}
    ours = {module for module in imports(name) if module.partition(".")[0] == "xaiboard"}
    foreign = {module for module in ours if not (module == package or module.startswith(f"{package}."))}
    assert foreign <= allowed


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


@pytest.mark.parametrize("name", TORCHLESS)
def test_tables_need_no_torch(name: str) -> None:
    tops = {module.partition(".")[0] for module in reached(f"xaiboard.benchmark.{name}")}
    assert not tops & {"torch", "captum", "safetensors", "deel"}
    assert "xaiboard.benchmark" in reached(f"xaiboard.benchmark.{name}")


def test_torch_is_seen_through_other_modules() -> None:
    assert "torch" in reached("xaiboard.benchmark.runner")
    assert any(module.startswith("torch") for module in reached("xaiboard.benchmark.catalogue"))


def test_no_cycles_of_imports() -> None:
    """Packages aside: they import their modules, and their modules are in them."""
    modules = {name for name, path in FILES.items() if path.name != "__init__.py"}
    left = {name: imports(name, top_only=True) & modules - {name} for name in modules}
    while free := {name for name, needed in left.items() if not needed}:
        left = {name: needed - free for name, needed in left.items() if name not in free}
    assert not left
