"""The rules of imports find planted faults, and let through what is allowed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from import_graph import Modules
from import_rules import (
    beyond_promise,
    hidden_imports,
    loaders,
    odd_folders,
    other_components,
    torch_at_any_depth,
    torch_on_import,
)

FOLDERS = {
    "xaiboard.benchmark": "",
    "xaiboard.benchmark.components": "May import: errors, toolkit.",
    "xaiboard.benchmark.engine": "May import: toolkit.",
    "xaiboard.benchmark.listing": "May import: toolkit.",
    "xaiboard.benchmark.store": "May import: toolkit.",
    "xaiboard.benchmark.toolkit": "May import: errors.",
    "xaiboard.metrics": "May import: toolkit.",
    "xaiboard.metrics.shared": "What several metrics use.",
    "xaiboard.models": "May import: models.training.",
}
SOURCES = {
    **{name: f'"""A duty.\n\n{said}\n"""' for name, said in FOLDERS.items()},
    "xaiboard.benchmark.engine.plan": "import torch",
    "xaiboard.benchmark.components.kinds": "def draw():\n    from ..toolkit.rng import SampleRng",
    "xaiboard.benchmark.listing.dry_run": "",
    "xaiboard.benchmark.store.records": "",
    "xaiboard.benchmark.toolkit.late": "def fast():\n    import torch",
    "xaiboard.benchmark.toolkit.pixels": "",
    "xaiboard.benchmark.toolkit.rng": "import torch",
    "xaiboard.metrics.cosine": "",
    "xaiboard.metrics.ssim": "",
    "xaiboard.metrics.shared.unit": "",
    "xaiboard.models.architectures": "",
    "xaiboard.models.linear": "",
    "xaiboard.models.standard": "",
}
MODULES = Modules({name: ast.parse(text) for name, text in SOURCES.items()}, set(FOLDERS))

CHECKED = "from typing import TYPE_CHECKING\nimport typing\n"
PLAN = "from ..engine.plan import Plan"


@pytest.mark.parametrize("name", SOURCES)
def test_without_a_fault_the_rules_hold(name: str) -> None:
    assert not beyond_promise(MODULES, name) | other_components(MODULES, name) | hidden_imports(MODULES, name)
    if name.startswith(("xaiboard.benchmark.components", "xaiboard.benchmark.store")):
        assert not torch_on_import(MODULES, name) | torch_at_any_depth(MODULES, name)


@pytest.mark.parametrize("condition", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
@pytest.mark.parametrize("indent", ["", "def f():\n    "])
def test_listing_may_name_types_of_the_engine(condition: str, indent: str) -> None:
    inner = " " * len(indent.rpartition("\n")[2])
    text = f"{CHECKED}{indent}if {condition}:\n{inner}    {PLAN}"
    modules = MODULES.planted("xaiboard.benchmark.listing.dry_run", text)
    assert not beyond_promise(modules, "xaiboard.benchmark.listing.dry_run")


@pytest.mark.parametrize(
    "text",
    [
        PLAN,
        f"def f():\n    {PLAN}",
        "def f():\n    import xaiboard.benchmark.engine.plan",
        f"if not TYPE_CHECKING:\n    {PLAN}",
        f"if TYPE_CHECKING or True:\n    {PLAN}",
        f"if other.TYPE_CHECKING:\n    {PLAN}",
        f"if TYPE_CHECKING:\n    pass\nelse:\n    {PLAN}",
        f"if TYPE_CHECKING:\n    pass\nelif x:\n    {PLAN}",
        f"if TYPE_CHECKING:\n    {PLAN}\ndef f():\n    {PLAN}",
    ],
)
def test_listing_may_not_import_the_engine(text: str) -> None:
    modules = MODULES.planted("xaiboard.benchmark.listing.dry_run", CHECKED + text)
    assert beyond_promise(modules, "xaiboard.benchmark.listing.dry_run") == {"xaiboard.benchmark.engine.plan"}


def test_elsewhere_types_count_too() -> None:
    modules = MODULES.planted("xaiboard.benchmark.store.records", f"if TYPE_CHECKING:\n    {PLAN}")
    assert beyond_promise(modules, "xaiboard.benchmark.store.records") == {"xaiboard.benchmark.engine.plan"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import torch", "torch"),
        ("import captum.attr", "captum.attr"),
        ("from safetensors.torch import save_file", "safetensors.torch"),
        ("import deel.torchlip", "deel.torchlip"),
        (PLAN, "xaiboard.benchmark.engine.plan"),
        ("from ..toolkit.late import fast", "torch"),
        ("from ..toolkit import rng", "torch"),
        ("if not TYPE_CHECKING:\n        import torch", "torch"),
    ],
)
def test_torch_inside_a_function_is_found(text: str, found: str) -> None:
    name = "xaiboard.benchmark.store.records"
    modules = MODULES.planted(name, f"class C:\n  def f(self):\n    {text}")
    assert not torch_on_import(modules, name)
    assert found in torch_at_any_depth(modules, name)


def test_torch_on_import_is_found_but_not_for_type_checkers() -> None:
    name = "xaiboard.benchmark.store.records"
    for text in ("import torch", "class C:\n    import torch", "from ..toolkit.rng import SampleRng"):
        assert "torch" in torch_on_import(MODULES.planted(name, text), name)
    typed = MODULES.planted(name, "if TYPE_CHECKING:\n    import torch")
    assert not torch_on_import(typed, name) | torch_at_any_depth(typed, name)


def test_only_what_is_named_may_be_imported_late() -> None:
    late = "def f():\n    from ..toolkit.rng import SampleRng"
    assert torch_at_any_depth(
        MODULES.planted("xaiboard.benchmark.components.other", late), "xaiboard.benchmark.components.other"
    )
    kinds = "xaiboard.benchmark.components.kinds"
    assert not torch_at_any_depth(MODULES, kinds)
    assert torch_at_any_depth(MODULES.planted(kinds, f"{late}\n    import torch"), kinds)
    assert torch_on_import(MODULES.planted(kinds, "from ..toolkit.rng import SampleRng"), kinds)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("metrics.cosine", "from .ssim import ssim", "metrics.ssim"),
        ("metrics.cosine", "from . import ssim", "metrics.ssim"),
        ("metrics.cosine", "def f():\n    import xaiboard.metrics.ssim", "metrics.ssim"),
        ("metrics.cosine", "if TYPE_CHECKING:\n    from .ssim import ssim", "metrics.ssim"),
        ("metrics.shared.unit", "from ..ssim import ssim", "metrics.ssim"),
        ("metrics.shared.unit", "from .. import ssim", "metrics.ssim"),
        ("models.linear", "from .standard import recipe", "models.standard"),
        ("models.architectures", "from .linear import recipe", "models.linear"),
    ],
)
def test_a_component_that_another_imports_is_found(name: str, text: str, found: str) -> None:
    modules = MODULES.planted(f"xaiboard.{name}", text)
    assert other_components(modules, f"xaiboard.{name}") == {f"xaiboard.{found}"}


def test_components_may_import_what_they_share() -> None:
    metric = MODULES.planted("xaiboard.metrics.ssim", "from .shared.unit import unit")
    assert not other_components(metric, "xaiboard.metrics.ssim")
    model = MODULES.planted("xaiboard.models.linear", "from .architectures import linear")
    assert not other_components(model, "xaiboard.models.linear")


@pytest.mark.parametrize(
    "text",
    [
        "from importlib import import_module",
        "from importlib import import_module as load",
        "import importlib\nimportlib.import_module('torch')",
        "def f():\n    __import__('torch')",
        "import importlib\ngetattr(importlib, 'import_module')('torch')",
        "import importlib.util\nimportlib.util.spec_from_file_location('a', 'a.py')",
        "import pkgutil\npkgutil.resolve_name('torch')",
        "from runpy import run_path",
    ],
)
def test_a_loader_is_found(text: str) -> None:
    name = "xaiboard.benchmark.store.records"
    assert hidden_imports(MODULES.planted(name, text), name)
    assert loaders(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "import_module('torch')",
        "import_module('.ssim', 'xaiboard.metrics')",
        "import_module(name)",
        "load = import_module\nload('torch')",
        "from importlib import import_module as load\nload('torch')",
        "getattr(importlib, 'import_module')('torch')",
        "__import__('quantus')",
    ],
)
def test_a_file_may_load_its_optional_library_alone(text: str) -> None:
    name = "xaiboard.metrics.quantus_adapter"
    usual = "from importlib import import_module\nimport_module('quantus.metrics')\n"
    assert not hidden_imports(MODULES.planted(name, usual), name)
    assert hidden_imports(MODULES.planted(name, usual + text), name)


def test_an_odd_folder_is_found(tmp_path: Path) -> None:
    for folder in ("shared", "__pycache__", "more"):
        (tmp_path / folder).mkdir()
    (tmp_path / "file.py").touch()
    assert odd_folders(tmp_path, {"shared"}) == {"more"}
    assert odd_folders(tmp_path, {"shared", "more"}) == set()
