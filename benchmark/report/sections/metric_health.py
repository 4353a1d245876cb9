"""The section that says which metric columns to trust."""

from __future__ import annotations

import pandas as pd

from ..results import Results
from ..section import section

NOTE = """\
In how many cases (model × settings × perturbation) random numbers are not the last of the methods, and in how many they
beat a method beyond doubt: there the column measures something else, or the method fails. In how many (× map) a blurred
copy beats its map beyond doubt: such a column may reward smoothness. Behind a count, the models with their own.
Split-half: rank correlation between the orders of the methods on two halves of the samples; α: Krippendorff's, the
samples as raters of the methods (1: all agree, 0: chance); the lowest and the highest, controls left out. All of it:
`health.csv`, `blurred.csv`; which columns agree with each other: `metric_correlations.csv`, drawn beside it."""


@section(
    title="Metric health",
    question="Which metrics put random maps last, do not reward blur, and order methods alike on other samples?",
    note=NOTE,
    files={"health.csv": lambda results: results.health, "blurred.csv": lambda results: results.blurred},
    place=500,
)
def metric_health(results: Results, dataset: str) -> pd.DataFrame:
    """One row for each metric column, its settings, perturbations and models together."""
    health = results.health[results.health["dataset"] == dataset]
    rows = []
    for metric, group in health.groupby("metric", sort=True):
        ranked = group[group["random_last"].isin(["True", "False"])]
        rows.append(
            {
                "column": metric,
                "random not last": _share((ranked["random_last"] == "False").sum(), len(ranked)),
                "random beats a method": _where(ranked["model"], ranked["random_beats"] > 0, len(ranked)),
                "blurred copy beats its map": _where(
                    group["model"], group["blurred_better"], int(group["blurred_pairs"].sum())
                ),
                "split-half": _range(group["split_half"]),
                "α": _range(group["alpha"]),
            }
        )
    return pd.DataFrame(rows)


def _share(hits: int, total: int) -> str:
    return f"{hits} of {total}" if total else ""


def _where(model: pd.Series, hits: pd.Series, total: int) -> str:
    """How many hits of how many, and on which models how many where it is not all."""
    found = hits.astype(int).groupby(model).sum()
    names = ", ".join(f"{name} {count}" for name, count in found.items() if 0 < found.sum() < total and count)
    return _share(found.sum(), total) + (f": {names}" if names else "")


def _range(values: pd.Series) -> str:
    known = values.dropna()
    return f"{known.min():.2f} to {known.max():.2f}" if len(known) else ""
