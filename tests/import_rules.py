"""Who may import whom: rules over source text, which tests apply to the project and to planted faults."""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

from import_graph import BENCHMARK, Modules, within

LISTING = "xaiboard.benchmark.listing"
"""Prints a plan, whose type it names: the one folder whose annotations reach higher than its imports."""

COMPONENTS = (
    "xaiboard.benchmark.datasets", "xaiboard.benchmark.methods", "xaiboard.benchmark.perturbations",
    "xaiboard.metrics", "xaiboard.models",
)  # fmt: skip

ARCHITECTURES = {"xaiboard.models.architectures", "xaiboard.models.layers"}
"""Modules among the components that register none: what the entries of ``models`` are built from."""

HEAVY = {"torch", "captum", "safetensors", "deel"}

LOADERS = {"import_module", "__import__", "spec_from_file_location", "resolve_name", "runpy"}
"""Names by which a module can be imported that no import statement shows."""

OWN_LOADERS = {
    "xaiboard.benchmark": "its names are imported when they are first used, so that torch is not needed for tables",
    "xaiboard.benchmark.components.builtin": "the one place that names the built-in components",
    "xaiboard.benchmark.components.plugins": "imports the files of users",
    "xaiboard.benchmark.report.section": "finds the built-in sections of the report",
}
"""Files that may import modules whose names they compute, and why."""

OPTIONAL_LIBRARIES = {
    "xaiboard.benchmark.executors.on_ray": "ray",
    "xaiboard.benchmark.executors.on_slurm": "submitit",
    "xaiboard.benchmark.subjects.libraries.hub_cache": "huggingface_hub",
    "xaiboard.benchmark.subjects.libraries.timm_models": "timm",
    "xaiboard.benchmark.subjects.libraries.torchvision_models": "torchvision",
    "xaiboard.benchmark.subjects.libraries.transformers_models": "transformers",
    "xaiboard.benchmark.datasets.hf_dataset": "datasets",
    "xaiboard.metrics.autoattack": "pyautoattack",
    "xaiboard.metrics.quantus_adapter": "quantus",
    "xaiboard.metrics.shared.quantus_bridge": "quantus",
    "xaiboard.models.training.finalise": "deel",
}
"""Files that load a library which not everyone has, when they need it; they may load that one alone."""


def beyond_promise(modules: Modules, name: str) -> set[str]:
    """Modules of ours that a module imports although its folder does not say so; types count, but in ``listing``."""
    own = modules.room(name)
    allowed = {own, *(modules.promise(own) or ())}
    imported = modules.imports(name, types=not within(own, LISTING))
    ours = {module for module in imported if within(module, "xaiboard")}
    return {module for module in ours if not any(within(module, each) for each in allowed)}


def is_component(modules: Modules, name: str) -> bool:
    """Whether a module registers components: it lies in the folder of a kind itself, not in a folder of that one."""
    return (
        name.rpartition(".")[0] in COMPONENTS and name not in modules.packages and name not in ARCHITECTURES
    )


def other_components(modules: Modules, name: str) -> set[str]:
    """Components that a module of the folder of a kind imports, beside itself; what two share lies in ``shared``."""
    return {module for module in modules.imports(name) if is_component(modules, module)} - {name}


def torch_on_import(modules: Modules, name: str) -> set[str]:
    """What needs torch, or is the engine, among the modules that are imported with ``name``."""
    return _heavy(modules.reached(name))


def torch_at_any_depth(modules: Modules, name: str) -> set[str]:
    """As :func:`torch_on_import`, and what is imported inside functions counts too."""
    return _heavy(modules.reached(name, functions=True))


def _heavy(reached: set[str]) -> set[str]:
    engine = f"{BENCHMARK}.engine"
    return {module for module in reached if module.partition(".")[0] in HEAVY or within(module, engine)}


def hidden_imports(modules: Modules, name: str) -> set[str]:
    """Loaders that a module uses although it is not in :data:`OWN_LOADERS`, and what it loads beside its library."""
    tree = modules.trees[name]
    if name in OWN_LOADERS:
        return set()
    library = OPTIONAL_LIBRARIES.get(name)
    if not library:
        return loaders(tree)
    return {argument for argument in loaded(tree) if argument.partition(".")[0] != library}


def loaders(tree: ast.AST) -> set[str]:
    """The names of :data:`LOADERS` that occur in the source, also as a text or under another name."""
    return {name for node in ast.walk(tree) if (name := _loader(node))}


def loaded(tree: ast.Module) -> set[str]:
    """The modules that ``import_module`` is given as texts; ``?`` where it is used in any other way."""
    found = {"?"} if loaders(tree) - {"import_module"} else set()
    called = set()
    for node in ast.walk(tree):  # a call comes before its parts
        if isinstance(node, ast.Call) and _loader(node.func):
            called.add(node.func)
            first = node.args[0] if len(node.args) == 1 and not node.keywords else None
            text = first.value if isinstance(first, ast.Constant) else None
            found.add(text if isinstance(text, str) else "?")
        elif _loader(node) and node not in called and (not isinstance(node, ast.alias) or node.asname):
            found.add("?")
    return found


def _loader(node: ast.AST) -> str:
    names = [getattr(node, field, None) for field in ("id", "attr", "name", "value", "module")]
    return next((each for each in names if isinstance(each, str) and each in LOADERS), "")


def odd_folders(root: Path, allowed: Collection[str]) -> set[str]:
    """Folders directly in ``root`` that are not ``allowed``; what Python leaves behind does not count."""
    return {path.name for path in root.iterdir() if path.is_dir()} - {"__pycache__", *allowed}
