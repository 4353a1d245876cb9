"""The section of a run's page that says how attributions fare under perturbations."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from .attribution_robustness import headline
from .convergence import NOT_CONVERGED, TOLERANCE

INTRODUCTION = f"""\
### Attributional robustness

How alike an image's map and that of its perturbed copy are: {{score}}
above chance (0: as two unrelated maps, 1: the same) with 95 % intervals, at the largest `eps` of each perturbation; of
several variants of one perturbation the lowest. Only samples count that all models classify correctly and whose
prediction held for all of them under that perturbation; how many is in the last column, beside the smallest share of
predictions that held. ‡: {NOT_CONVERGED}: twice the steps and restarts of a variant lowered the score by more than
{TOLERANCE:g}; an attack without that mark may not have been checked. A model that starves an attack of gradients looks
robust here: compare with attacks by transfer, and with noise. Raw scores, their chance levels, the sizes of the
perturbations and the other scores: `robustness.csv`.{{figures}}

"""


def introduce(table: pd.DataFrame, figures: list[str]) -> str:
    """The words above the table.

    Args:
        table: attributional robustness of one data set.
        figures: names of the files that show it.
    """
    rows = headline(table)
    score = f"`{rows['metric'].iloc[0]}[{rows['settings'].iloc[0]}]`" if len(rows) else ""
    drawn = " Drawn in " + ", ".join(f"`{name}`" for name in figures) + "." if figures else ""
    return INTRODUCTION.format(score=score, figures=drawn)


def short_robustness(table: pd.DataFrame, controls: Iterable[str] = ()) -> pd.DataFrame:
    """One row for each model and method († control), one column for each perturbation, at its largest ``eps``."""
    rows, marked = headline(table), set(controls)
    if rows.empty:
        return pd.DataFrame()
    name = rows["perturbation"].str.partition("[")[0]
    largest = rows.groupby(name)["eps"].transform("max")
    rows = rows.assign(name=name)[(rows["eps"] == largest) | largest.isna()]
    lines = []
    for (model, method), group in rows.groupby(["model", "method"], sort=True):
        line = {"model": model, "method": f"{method} †" if method in marked else method}
        for kind, variants in group.sort_values("common_above").groupby("name", sort=True):
            line[str(kind)] = _entry(variants)
        common = group["common_n"].dropna().astype(int)
        line["held"] = f"{group['held'].min():.0%}"
        line["samples"] = f"{common.min()}–{common.max()}" if common.nunique() > 1 else str(common.max())
        lines.append(line)
    kinds = sorted(set(rows["name"]))
    return pd.DataFrame(lines, columns=["model", "method", *kinds, "held", "samples"]).fillna("")


def _entry(variants: pd.DataFrame) -> str:
    """The least score of several variants, in ascending order."""
    row = variants.iloc[0]
    if pd.isna(row["common_above"]):
        return "no common sample"
    mark = " ‡" if (variants["converged"] == NOT_CONVERGED).any() else ""
    return f"{row['common_above']:.2f} ({row['common_above_low']:.2f}–{row['common_above_high']:.2f}){mark}"
