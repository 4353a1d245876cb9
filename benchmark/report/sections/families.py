"""The section that compares families of models."""

from __future__ import annotations

import pandas as pd

from ..markdown import DIRECTION_SIGNS
from ..results import Results
from ..section import section
from ..sides import IMAGES


def note(results: Results, dataset: str) -> str:
    """How the table is read, with the number of samples behind it."""
    common = int(results.families.loc[results.families["dataset"] == dataset, "n"].max())
    return (
        "For each column that may be compared across models: in how many rows (method × settings, without controls)"
        f" each of two families is beyond doubt better, on the {common} samples that all models classify correctly. A"
        " family's score is the mean over its models; rows where a method does not apply to one of them are left out."
        " The verdicts hold at 95 % for all pairs of families in a row together, and they are about these trained"
        " networks: images are drawn anew, trainings are not. Single models against each other, and recipes by their"
        " seeds where there are several, are in `families.csv`, whose column `unit` says which it is."
    )


@section(
    title="Families",
    question="Does the way in which models were trained make their explanations better?",
    note=note,
    files={"families.csv": lambda results: results.families},
    place=300,
)
def families(results: Results, dataset: str) -> pd.DataFrame:
    """How often one whole family is better than another: a row for each metric column, a column for each pair."""
    table = results.families[results.families["dataset"] == dataset]
    sides = pd.concat(
        [table[[f"family_{side}", f"models_{side}"]].set_axis(["family", "models"], axis=1) for side in "ab"]
    )
    whole = {str(family): max(group, key=len) for family, group in sides.groupby("family")["models"]}
    judged = table[
        (table["status"] == "ok")
        & (table["unit"] == IMAGES)
        & ~table["method"].isin(list(results.controls))
        & table["higher_is_better"].isin(["True", "False"])
        & (table["models_a"] == table["family_a"].map(whole))
        & (table["models_b"] == table["family_b"].map(whole))
    ]
    rows = {}
    for (a, b, metric), group in judged.groupby(["family_a", "family_b", "metric"], observed=True):
        wins = group["better"].value_counts()
        entry = f"{wins.get(a, 0)} : {wins.get(b, 0)} ({wins.get('', 0)} undecided)"
        column = f"{metric} {DIRECTION_SIGNS[group['higher_is_better'].iloc[0]]}"
        rows.setdefault(str(metric), {"column": column})[f"{a} : {b}"] = entry
    return pd.DataFrame(list(rows.values())).fillna("")
