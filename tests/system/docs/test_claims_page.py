"""The numbers of the page about claims are those of the simulation beside it."""

from __future__ import annotations

import pandas as pd
from helpers import ROOT, number

FOLDER = ROOT / "docs" / "explanation"
TABLE = pd.read_csv(FOLDER / "claims-simulation.csv")
PAGE = " ".join((FOLDER / "claims.md").read_text("utf-8").split())


def test_rates_are_those_of_the_simulation() -> None:
    five = TABLE["networks"] == 5
    few, paired = TABLE[~five]["alone"].max(), TABLE[five].sort_values("alone").iloc[-1]
    said = [
        f"at most {percent(few)} of them are said to hold with two or three networks of a recipe",
        f"and {percent(paired['alone'])} with five",
        f"Welch's interval has {percent(paired['welch'])} there, and {percent(TABLE['welch'].max())} at most",
        f"on {percent(TABLE['page'].mean())} of the pages, and on {percent(TABLE[five]['page'].mean())} with five",
        f"{len(TABLE)} times {TABLE['claims'].iloc[0]} claims",
    ]
    assert [text for text in said if text not in PAGE] == []
    assert paired["kind"] == "pair_columns"


def percent(rate: float) -> str:
    return f"{number(100 * rate, 1)} %"
