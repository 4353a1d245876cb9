"""What is packaged is what is on disk, and what is imported is declared."""

from __future__ import annotations

import ast
import re
import runpy
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOP = ("benchmark", "metrics", "models")


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def declared(requirements: list[str]) -> set[str]:
    found = set()
    for requirement in requirements:
        name = re.match(r"[\w.-]+", requirement)
        assert name, requirement
        found.add(normal(name.group()))
    return found


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``setup.py`` hands to setuptools."""
    given: dict[str, Any] = {}
    monkeypatch.setattr("setuptools.setup", lambda **words: given.update(words))
    runpy.run_path(str(ROOT / "setup.py"))
    return given


def test_packages_are_the_folders_on_disk(installed: dict[str, Any]) -> None:
    on_disk = {
        f"xaiboard.{path.parent.relative_to(ROOT).as_posix().replace('/', '.')}": path.parent.relative_to(
            ROOT
        )
        for top in TOP
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert sorted(installed["packages"]) == sorted(on_disk)
    assert {name: Path(folder) for name, folder in installed["package_dir"].items()} == on_disk
    assert {"xaiboard.benchmark.report.health", "xaiboard.models.training.objectives"} <= set(on_disk)


def test_every_module_lies_in_a_package() -> None:
    for top in TOP:
        for path in (ROOT / top).rglob("*.py"):
            assert (path.parent / "__init__.py").is_file(), path


def test_package_data_are_the_files_on_disk(installed: dict[str, Any]) -> None:
    """Everything that is not Python is installed beside the modules."""
    packed = {
        ROOT / installed["package_dir"][package] / name
        for package, names in installed["package_data"].items()
        for name in names
    }
    others = {
        path
        for top in TOP
        for path in (ROOT / top).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and not path.name.startswith(".")
    }
    assert others == packed
    for name in ("benchmark/suites/quick.toml", "benchmark/listing/catalogue.json", "models/py.typed"):
        assert ROOT / name in packed
    assert sum(path.suffix == ".safetensors" for path in packed) > 50


def test_weights_have_cards() -> None:
    weights = ROOT / "models" / "weights"
    assert {path.stem for path in weights.glob("*.safetensors")} == {
        path.stem for path in weights.glob("*.json")
    }


def imported(folders: Iterable[str] = TOP) -> dict[str, set[str]]:
    """Files by the top-level name that they import, relative imports aside."""
    found: dict[str, set[str]] = {}
    for top in folders:
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    names = [node.module]
                else:
                    continue
                for name in names:
                    found.setdefault(name.partition(".")[0], set()).add(str(path.relative_to(ROOT)))
    return {name: files for name, files in found.items() if name not in sys.stdlib_module_names}


def test_every_import_is_declared() -> None:
    project = SETTINGS["project"]
    always, optional = declared(project["dependencies"]), {"deel": "train", "skimage": "slic"}
    distributions = packages_distributions()
    for name, files in imported().items():
        assert name != "xaiboard", f"{files}: use a relative import"
        known = {normal(distribution) for distribution in distributions.get(name, [name])}
        extra = project["optional-dependencies"][optional[name]] if name in optional else []
        allowed = always | declared(extra)
        assert known & allowed, f"{name}, imported in {sorted(files)}, is not declared"


def test_every_declared_dependency_is_imported() -> None:
    distributions = packages_distributions()
    names = {*imported(), "sklearn"}  # its data files are read without importing it
    used = {normal(each) for name in names for each in distributions.get(name, [name])}
    assert declared(SETTINGS["project"]["dependencies"]) - used == set()


def test_training_libraries_are_imported_where_they_are_used() -> None:
    """Whoever does not train need not install them: no import at the top of a module."""
    for file in imported().get("deel", set()):
        for node in ast.parse((ROOT / file).read_text()).body:
            if isinstance(node, ast.ImportFrom | ast.Import):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                assert not any(name.startswith("deel") for name in names), file


def test_the_extra_for_tests_has_what_tests_import() -> None:
    extra = declared(SETTINGS["project"]["optional-dependencies"]["dev"])
    assert {"pytest", "ruff", "pyright", "pytest-cov"} <= extra
    allowed = extra | declared(SETTINGS["project"]["dependencies"])
    distributions = packages_distributions()
    own = {
        "xaiboard",
        "tests",
        "mutation",
        *(path.stem for top in (".", "performance") for path in (ROOT / "tests" / top).glob("*.py")),
    }
    for name, files in imported(["tests"]).items():
        if name not in own:
            known = {normal(distribution) for distribution in distributions.get(name, [name])}
            assert known & allowed, f"{name}, imported in {sorted(files)}, is not declared"


@pytest.mark.parametrize("name", TOP)
def test_type_checkers_find_the_packages(name: str) -> None:
    link = ROOT / "tests" / "typings" / "xaiboard" / name
    assert link.resolve() == ROOT / name
