"""The section of a run's page that says how attributions fare under perturbations."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from .convergence import NOT_CONVERGED, TOLERANCE
from .table import at_usual_eps, headline, name_kinds, usual_eps

INTRODUCTION = f"""\
### Attributional robustness

How alike an image's map and that of its perturbed copy are: {{score}}
above chance (0: as two unrelated maps, 1: the same) with 95 % intervals, under the perturbations{{eps}}
without a radius; over several steps and restarts, the lowest. Only samples count that all models classify correctly and
whose prediction held under that perturbation for all models that the method applies to; how many is in the last column,
beside the smallest share of predictions that held (attacks on maps keep them).
‡: {NOT_CONVERGED}, twice the steps and restarts lowered the score by more than {TOLERANCE:g}; an attack without it
may not have been checked. A model that starves an attack of gradients looks robust here: compare with attacks by
transfer, and with noise. A map that does not look at the image is robust, and says nothing. Other radii, raw scores,
their chance levels, the sizes of the perturbations and the other scores: `robustness.csv`.{{figures}}

"""


def introduce(table: pd.DataFrame, figures: list[str]) -> str:
    """The words above the table.

    Args:
        table: attributional robustness of one data set, with a score that stands for all.
        figures: names of the files that show it.
    """
    rows = headline(table)
    eps = usual_eps(rows)
    drawn = "\n\nDrawn in " + ", ".join(f"`{name}`" for name in figures) + "." if figures else ""
    return INTRODUCTION.format(
        score=f"`{rows['metric'].iloc[0]}[{rows['settings'].iloc[0]}]`",
        eps="" if pd.isna(eps) else f" with `eps={eps:g}`, which most have, and those",
        figures=drawn,
    )


def short_robustness(table: pd.DataFrame, controls: Iterable[str] = ()) -> pd.DataFrame:
    """One row for each model and method († control), one column for each perturbation of the usual ``eps``."""
    rows, marked = at_usual_eps(headline(table)), set(controls)
    kinds = name_kinds(rows["perturbation"], but=("eps", "steps", "restarts"))
    rows = rows.assign(kind=rows["perturbation"].map(kinds))
    lines = []
    for (model, method), group in rows.groupby(["model", "method"], sort=True):
        line = {"model": model, "method": f"{method} †" if method in marked else method}
        for kind, variants in group.sort_values("common_above").groupby("kind", sort=True):
            line[str(kind)] = _entry(variants)
        common = group["common_n"].astype(int)
        line["held"] = f"{group['held'].min():.0%}"
        line["samples"] = f"{common.min()}–{common.max()}" if common.nunique() > 1 else str(common.max())
        lines.append(line)
    columns = ["model", "method", *sorted(set(kinds.values())), "held", "samples"]
    return pd.DataFrame(lines, columns=columns).fillna("")


def _entry(variants: pd.DataFrame) -> str:
    """The least score of several variants, in ascending order."""
    row = variants.iloc[0]
    if pd.isna(row["common_above"]):
        return "no common sample"
    mark = " ‡" if (variants["converged"] == NOT_CONVERGED).any() else ""
    return f"{row['common_above']:.2f} ({row['common_above_low']:.2f}–{row['common_above_high']:.2f}){mark}"
