"""The section that says how alike the maps of an image and of its perturbed copies are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ..attribution_robustness.against_eps import draw_against_eps
from ..attribution_robustness.against_window import draw_against_window
from ..attribution_robustness.convergence import NOT_CONVERGED, TOLERANCE
from ..attribution_robustness.overlaps import draw_overlaps
from ..attribution_robustness.settings import EFFORT_AND_RADIUS, at_usual_eps, headline, usual_eps, with_kinds
from ..markdown import marked
from ..results import Results
from ..section import Draw, section

NOTE = f"""\
How alike an image's map and that of its perturbed copy are: `{{score}}`
above chance (0: as two unrelated maps, 1: the same) with 95 % intervals, under the perturbations{{eps}}
without a radius; over several steps and restarts, the lowest. Only samples count that all models classify correctly and
whose prediction held under that perturbation for all models that the method applies to; how many is in the last column,
beside the smallest share of predictions that held (attacks on maps keep them).
‡: {NOT_CONVERGED}, twice the steps and restarts lowered the score by more than {TOLERANCE:g}; an attack without it
may not have been checked. A model that starves an attack of gradients looks robust here: compare with attacks by
transfer, and with noise. A map that does not look at the image is robust, and says nothing. Other radii, raw scores,
their chance levels, the sizes of the perturbations and the other scores: `robustness.csv`."""


def note(results: Results, dataset: str) -> str:
    """How the table is read: which score it shows, at which radius."""
    rows = headline(_rows(results, dataset))
    eps = usual_eps(rows)
    return NOTE.format(
        score=f"{rows['metric'].iloc[0]}[{rows['settings'].iloc[0]}]",
        eps="" if pd.isna(eps) else f" with `eps={eps:g}`, which most have, and those",
    )


def _drawn_by(draw: Callable[[pd.DataFrame, Path], bool]) -> Draw:
    """A figure of the section: controls are left out."""

    def of_dataset(results: Results, dataset: str, path: Path) -> bool:
        rows = _rows(results, dataset)
        return draw(rows[~rows["method"].isin(results.controls)], path)

    return of_dataset


@section(
    title="Attributional robustness",
    question="Does an explanation stay the same where the image and the prediction hardly change?",
    note=note,
    files={"robustness.csv": lambda results: results.robustness if len(results.robustness) else None},
    figures={
        "attribution-eps": _drawn_by(draw_against_eps),
        "attribution-window": _drawn_by(draw_against_window),
        "attribution-topk": _drawn_by(draw_overlaps),
    },
    place=400,
)
def attributional_robustness(results: Results, dataset: str) -> pd.DataFrame:
    """One row for each model and method († control), one column for each perturbation of the usual ``eps``."""
    rows = at_usual_eps(headline(_rows(results, dataset)))
    rows = with_kinds(rows, but=EFFORT_AND_RADIUS)
    lines = []
    for (model, method), group in rows.groupby(["model", "method"], sort=True):
        line = {"model": model, "method": marked(str(method), results.controls)}
        for kind, variants in group.sort_values("common_above").groupby("kind", sort=True):
            line[str(kind)] = _entry(variants)
        common = group["common_n"].astype(int)
        line["held"] = f"{group['held'].min():.0%}"
        line["samples"] = f"{common.min()}–{common.max()}" if common.nunique() > 1 else str(common.max())
        lines.append(line)
    columns = ["model", "method", *sorted(set(rows["kind"])), "held", "samples"]
    return pd.DataFrame(lines, columns=columns).fillna("")


def _rows(results: Results, dataset: str) -> pd.DataFrame:
    return results.robustness_settings[results.robustness_settings["dataset"] == dataset]


def _entry(variants: pd.DataFrame) -> str:
    """The least score of several variants, in ascending order."""
    row = variants.iloc[0]
    if pd.isna(row["common_above"]):
        return "no common sample"
    mark = " ‡" if (variants["converged"] == NOT_CONVERGED).any() else ""
    return f"{row['common_above']:.2f} ({row['common_above_low']:.2f}–{row['common_above_high']:.2f}){mark}"
