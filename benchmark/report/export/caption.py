"""What is said of an exported table: the data, how it is read, and from which run it is."""

from __future__ import annotations

from ...toolkit.wording import counted
from .grid import Grid

_SHOWN = {
    "none": "Mean scores",
    "ci": "Mean scores with 95 % intervals",
    "rank": "Mean scores with simultaneous 95 % intervals of the rank among all methods on a model",
}
"""What stands in the cells, by the intervals that were asked for."""

_NAMES = {"method": "method", "model": "model", "dataset": "data set"}


def caption(grid: Grid) -> str:
    """Sentences: what is shown, of which data, n, seed, version and digest; and what the marks mean."""
    same = [
        f"{said} {grid.rows[name].iloc[0]}"
        for name, said in _NAMES.items()
        if name not in grid.shown_names and grid.rows[name].iloc[0]
    ]
    directions = set(grid.columns["higher_is_better"])
    signs = [text for value, text in (("True", "↑ higher"), ("False", "↓ lower")) if value in directions]
    sentences = [
        f"{'; '.join([_SHOWN[grid.selection.intervals], *same])}; n = {_samples(grid)}",
        f"{', '.join(signs)} is better" if signs else "",
        "Bold: no other method of the run is beyond doubt (95 %) better on that model"
        if grid.tells_best
        else "",
        "† control" if grid.rows["control"].any() else "",
        "≈ read the rank with its note in leaderboard.csv" if grid.tells_doubt else "",
        _origin(grid),
    ]
    return "".join(f"{sentence}. " for sentence in sentences if sentence).rstrip()


def _samples(grid: Grid) -> str:
    counts = grid.cells["n"].dropna()
    low, high = (int(counts.min()), int(counts.max())) if len(counts) else (0, 0)
    return f"{'' if low == high else f'{low} to '}{counted(high, 'sample')}"


def _origin(grid: Grid) -> str:
    facts = grid.facts
    parts = [
        f"seed {facts['seed']}" if "seed" in facts else "",
        f"xaiboard {facts['version']}",
        f"scores.parquet sha256:{facts['digest'][:16]}" if "digest" in facts else "",
    ]
    return f"Run: {', '.join(filter(None, parts))}"
