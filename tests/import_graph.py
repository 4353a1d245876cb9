"""Which module imports which, read from source text."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping

BENCHMARK = "xaiboard.benchmark"

LAZY = {"xaiboard.benchmark.components.kinds": "xaiboard.benchmark.toolkit.rng"}
"""What a folder without torch imports inside a function although it needs torch: a component that is called by hand
gets random numbers, and whoever calls it has tensors, so torch, at hand."""


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def for_type_checkers(node: ast.AST) -> bool:
    """Whether it is ``if TYPE_CHECKING:``, so that its body never runs; the else branch does."""
    if not isinstance(node, ast.If):
        return False
    return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def nodes(tree: ast.AST, *, functions: bool, types: bool) -> Iterator[ast.AST]:
    """All nodes; without the bodies of functions, or without what is for type checkers alone, if so asked."""
    for node in ast.iter_child_nodes(tree):
        if not functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield node
        if isinstance(node, ast.If) and not types and for_type_checkers(node):
            for other in node.orelse:
                yield other
                yield from nodes(other, functions=functions, types=types)
        else:
            yield from nodes(node, functions=functions, types=types)


class Modules:
    """Modules by their full names, as parsed source."""

    def __init__(self, trees: Mapping[str, ast.Module], packages: Collection[str]) -> None:
        self.trees, self.packages = trees, packages
        self._known: dict[tuple[str, bool, bool], frozenset[str]] = {}

    def planted(self, name: str, text: str) -> Modules:
        """The same modules, of which one more, or another in the place of one, has the source ``text``."""
        return Modules({**self.trees, name: ast.parse(text)}, self.packages)

    def imports(self, name: str, *, functions: bool = True, types: bool = True) -> frozenset[str]:
        """Full names of the modules that a module imports, foreign ones included."""
        key = (name, functions, types)
        if key not in self._known:
            self._known[key] = frozenset(self._imports(name, functions, types))
        return self._known[key]

    def _imports(self, name: str, functions: bool, types: bool) -> Iterator[str]:
        package = (name if name in self.packages else name.rpartition(".")[0]).split(".")
        for node in nodes(self.trees[name], functions=functions, types=types):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    full = f"{module}.{alias.name}"
                    yield full if full in self.trees else module

    def reached(self, name: str, *, functions: bool = False) -> set[str]:
        """Modules that are imported when ``name`` is, packages on the way included.

        With ``functions``, also those that any of them imports inside a function, but for :data:`LAZY`.
        """
        seen: set[str] = set()
        todo = [name]
        while todo:
            module = todo.pop()
            if module in seen:
                continue
            seen.add(module)
            parts = module.split(".")
            todo += [up for end in range(1, len(parts)) if (up := ".".join(parts[:end])) in self.trees]
            if module in self.trees:
                found = self.imports(module, functions=functions, types=False)
                todo += found - {LAZY.get(module)} if functions else found
        return seen

    def duty(self, folder: str) -> str:
        return ast.get_docstring(self.trees[folder]) or ""

    def promise(self, folder: str) -> set[str] | None:
        """What the folder says that it may import, as full names; None where it leaves that to the one above."""
        said = re.search(r"May import: (.*)\.$", self.duty(folder), re.MULTILINE)
        if not said:
            return None
        return {
            f"xaiboard.{name}" if within(name, "models") else f"{BENCHMARK}.{name}"
            for name in said[1].split(", ")
        }

    def room(self, name: str) -> str:
        """The nearest folder around a module that says what it may import, or ``xaiboard.benchmark``."""
        while name != BENCHMARK and (name not in self.packages or self.promise(name) is None):
            name = name.rpartition(".")[0]
        return name
