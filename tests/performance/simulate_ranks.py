"""How often ranks claim what is not so, and what they find: many tables of scores of which is known who is better.

Run it by hand: ``python tests/performance/simulate_ranks.py results/ranks-simulation.csv``. It takes a quarter of an
hour of two processors; a row that is in the file already is not computed again, and every row is the same however often
it is interrupted. It is no test, because where ranks err is a finding; a small simulation among the tests holds what is
promised.
"""

from __future__ import annotations

import argparse
from collections.abc import Hashable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from rank_peers import bootstrap, gaussian
from score_tables import KINDS, Table, equal, ladder, table
from xaiboard.benchmark.statistics import signs
from xaiboard.benchmark.statistics.complete import complete
from xaiboard.benchmark.statistics.ranks import prepare, rank
from xaiboard.benchmark.statistics.skewness import TOLERATED

signs.DRAWS = 1000
"""Fewer than boards take, so that there is time for more tables: the error is the same for any number of draws."""

METHODS, SAMPLES = (5, 11, 31, 100), (30, 100, 1000)
SIGNS, GAUSSIAN, BOOTSTRAP = "signs", "gaussian", "bootstrap"


class Cell(NamedTuple):
    """A row of the table."""

    procedure: str
    scores: str
    methods: int
    samples: int
    weighted: bool = False
    missing: bool = False

    @property
    def repeats(self) -> tuple[int, int]:
        """Tables of equal methods, and of ladders; fewer where a table takes long."""
        if self.methods <= 11:
            return 400, 60
        if self.methods <= 31:
            return (240, 40) if self.samples <= 100 else (120, 30)
        return (200, 40) if self.samples <= 100 else (100, 20)


class Outcome(NamedTuple):
    """What a procedure says of one table."""

    false: bool
    found: float
    width: float
    expected: float
    rare: float


def cells() -> Iterator[Cell]:
    """All rows, the quick ones first: weights, missing scores and other procedures where they make a difference."""
    for samples in SAMPLES:
        for methods in METHODS:
            for scores in KINDS:
                yield Cell(SIGNS, scores, methods, samples)
                if samples == 100 and methods in (11, 31):
                    yield Cell(GAUSSIAN, scores, methods, samples)
                    yield Cell(BOOTSTRAP, scores, methods, samples)
            if methods <= 31:
                for scores in ("normal", "exponential", "binary", "opposite exponential"):
                    yield Cell(SIGNS, scores, methods, samples, weighted=True)
                for scores in ("normal", "ties"):
                    yield Cell(SIGNS, scores, methods, samples, missing=True)
                yield Cell(SIGNS, "normal", methods, samples, weighted=True, missing=True)


def judge(cell: Cell, one: Table) -> Outcome:
    """What the procedure says, and whether it is so."""
    kind = KINDS[cell.scores]
    column = prepare(one.score, one.weight, higher_is_better=True, bounds=kind.bounds)
    expected = rare = np.nan
    if cell.procedure == SIGNS:
        ranks = rank(column, signs.flipped_sums(column.means.influence))
        better = ranks.better[np.ix_(column.rows, column.rows)]
        expected, rare = ranks.error, column.rare.mean()
    elif cell.procedure == GAUSSIAN:
        better = gaussian(column)
    else:
        kept = np.ix_(*complete(one.score, one.weight))
        better = bootstrap(column, one.score[kept], one.weight[kept])
    height = one.height[column.rows]
    above = height[:, None] > height[None, :]
    width = len(height) - 1 - (better.sum(0) + better.sum(1))
    found = (better & above).sum() / above.sum() if above.any() else np.nan
    return Outcome(bool((better & ~above).any()), float(found), float(width.mean()), expected, rare)


def simulate(cell: Cell) -> dict[Hashable, object]:
    """One row: means over tables, and the standard errors of those that decide."""
    # The same tables for each procedure.
    rng = np.random.default_rng([crc32(cell.scores.encode()), *map(int, cell[2:])])

    def outcomes(height: np.ndarray, repeats: int) -> pd.DataFrame:
        drawn = (
            table(rng, KINDS[cell.scores], cell.samples, height, weighted=cell.weighted, missing=cell.missing)
            for _ in range(repeats)
        )
        return pd.DataFrame([judge(cell, one) for one in drawn])

    null, steps = (
        outcomes(height(cell.methods), repeats)
        for height, repeats in zip((equal, ladder), cell.repeats, strict=True)
    )
    return {
        **cell._asdict(),
        "tables": len(null),
        "error": null["false"].mean(),
        "error_se": proportion_error(null["false"]),
        "expected_error": null["expected"].mean(),
        "marked": (null["expected"] > TOLERATED).mean() if cell.procedure == SIGNS else np.nan,
        "rare": null["rare"].mean(),
        "ladders": len(steps),
        "coverage": 1 - steps["false"].mean(),
        "coverage_se": proportion_error(steps["false"]),
        "found": steps["found"].mean(),
        "found_se": steps["found"].sem(),
        "width": steps["width"].mean(),
        "width_se": steps["width"].sem(),
    }


def proportion_error(false: pd.Series) -> float:
    """The standard error of a share, as if two more tables had erred and two more had not, so that it is never 0."""
    share = (false.sum() + 2) / (len(false) + 4)
    return float((share * (1 - share) / (len(false) + 4)) ** 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, help="CSV file, continued if it exists")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    wanted = list(cells())
    columns = list(Cell._fields)
    rows = pd.read_csv(options.table).to_dict("records") if options.table.is_file() else []
    done = {tuple(row[name] for name in columns) for row in rows}
    with ProcessPoolExecutor(options.processes) as pool:
        running = [pool.submit(simulate, cell) for cell in wanted if cell not in done]
        for finished in as_completed(running):
            row = finished.result()
            rows.append(row)
            print(
                *(f"{value:.3f}" if isinstance(value, float) else value for value in row.values()), flush=True
            )
            rows.sort(key=lambda row: wanted.index(Cell(*(row[name] for name in columns))))
            pd.DataFrame(rows).round(4).to_csv(options.table, index=False)


if __name__ == "__main__":
    main()
