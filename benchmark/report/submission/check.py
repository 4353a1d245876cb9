"""What speaks against adding the methods of a run to published results, each a sentence."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ...store.columns import LABEL
from ...store.verify import verify
from ...toolkit.wording import counted
from ..comparison.equal import changed_sides
from ..results import Results
from .records import records_problems

FACTS = [
    "samples", "weights", "reference", "model_version", "method_settings", "method_version", "metric_version",
    "perturbation_version",
]  # fmt: skip
"""Columns of the cells that say from what a score was computed; the key is a digest of all of them, and of more."""

CONDITIONS = ("seed", "target", "dtype", "samples")
"""What all cells of a run have in common."""

PLACE = [name for name in LABEL if name != "method"]
"""What names a cell beside its method."""


def problems(mine: Results, published: Results, plugins: Sequence[Path]) -> list[str]:
    """What must be mended before the rows of a run can be added to published results; nothing if all is well.

    Args:
        mine: the run of the submission.
        published: the results that it would be added to.
        plugins: files that register the methods.
    """
    if damage := verify(mine.folder)[0]:
        return damage
    if absent := sorted(set(published.datasets) - set(mine.datasets)):
        return [
            f"the run is on {', '.join(mine.datasets)}, the published one on {', '.join(absent)}: run that suite"
        ]
    controls, added = sorted(published.controls), new_methods(mine, published)
    found = [*_conditions(mine, published), *_controls(mine, published)]
    found += records_problems(mine, controls, added)
    if not added:
        found.append("the run has no method that the published results do not have: nothing would be added")
    found += unnamed_methods(mine, added, plugins)
    return [*found, *(sentence for method in added for sentence in _method(method, mine, published))]


def new_methods(mine: Results, published: Results) -> list[str]:
    """The methods that a run would add."""
    return sorted(set(mine.cells["method"]) - set(published.cells["method"]))


def unnamed_methods(mine: Results, added: Sequence[str], plugins: Sequence[Path]) -> Iterator[str]:
    """The new methods whose names are in none of the plug-ins; these are read, not imported, for nobody knows them."""
    written = {text for path in plugins for text in _names(path)}
    for name in sorted({mine.glossary.methods[method].name for method in added}):
        if name not in written:
            yield f"no file given with --plugin names '{name}': give the one that registers it"


def _names(path: Path) -> Iterator[str]:
    """What a file may register a method as: its functions, classes and texts; nothing of one that is no Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _conditions(mine: Results, published: Results) -> Iterator[str]:
    for name in CONDITIONS:
        found, wanted = mine.conditions.get(name), published.conditions.get(name)
        if found != wanted:
            yield f"the run has {name} {found}, the published one has {wanted}: run it anew with that {name}"


def _controls(mine: Results, published: Results) -> Iterator[str]:
    """The controls show that all but the new methods is the same: their cells have the same key and the same scores."""
    wanted = published.cells[published.cells["method"].isin(published.controls)]
    pairs = wanted.merge(mine.cells, on=LABEL, how="left", suffixes=("", "_mine"))
    missing = pairs["key_mine"].isna() | (pairs["status_mine"] != pairs["status"])
    for control, of in pairs[missing].groupby("method"):
        first = "/".join(of.iloc[0][PLACE].astype(str).replace("", "-"))
        planned = int((wanted["method"] == control).sum())
        yield (
            f"the control '{control}' lacks {len(of)} of its {counted(planned, 'cell')}, the first is {first}: run the"
            " whole suite with the controls"
        )
    other = pairs[~missing & (pairs["key_mine"] != pairs["key"])]
    if len(other):
        differing = [name for name in FACTS if (other[name] != other[f"{name}_mine"]).any()]
        yield (
            f"{counted(len(other), 'cell')} of the controls are not those that were published: they differ in"
            f" {', '.join(differing) or 'their conditions'}"
        )
        return
    here = [_of_methods(one, published.controls) for one in (mine, published)]
    changed = changed_sides([cells for cells, _ in here], [scores for _, scores in here], "method")
    for control in sorted(changed):
        yield (
            f"the control '{control}' has other scores than the published ones, although it was computed from the same:"
            " run it with the published versions of xaiboard and torch"
        )


def _of_methods(results: Results, methods: Collection[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells and scores of some methods."""
    cells, scores = results.cells, results.scores
    own = scores[scores["method"].isin(methods)]
    return cells[cells["method"].isin(methods)], own.astype(dict.fromkeys(LABEL, str))


def _method(method: str, mine: Results, published: Results) -> Iterator[str]:
    """What a new method lacks: cells that the published methods have, scores in them, a source."""
    own = mine.cells[mine.cells["method"] == method]
    judged = published.cells.loc[published.cells["method"] != "", PLACE].drop_duplicates()
    status = judged.merge(own, on=PLACE, how="left")["status"].fillna("missing").to_numpy()
    for word, what in (("missing", "are missing"), ("failed", "failed")):
        if number := int(np.sum(status == word)):
            yield f"{number} of the {len(judged)} cells of '{method}' {what}: run the whole suite"
    if len(own) and (own["status"] == "inapplicable").all():
        yield f"'{method}' applies in none of its {counted(len(own), 'cell')}: no row would have a score"
    if own["control"].astype(bool).any():
        yield f"'{method}' is a control: controls are not submitted"
    name = mine.glossary.methods[method].name
    if not mine.glossary.sources.get("methods", {}).get(name):
        yield f"'{method}' declares no source: write @method(source=...) with the paper, and run again"
