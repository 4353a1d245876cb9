"""What the page on ranks says of the simulation is what its file holds."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import RESULTS, assert_says, number, rows

PAGE = "docs/explanation/ranks.md"
FILE = pd.read_csv(RESULTS / "ranks-simulation.csv")
SIGNS = FILE[FILE["procedure"] == "signs"]
EXCHANGEABLE = SIGNS[
    SIGNS["scores"].isin(["normal", "exponential", "lognormal", "ties", "binary", "binary, 2 %"])
]
COLUMNS = [(methods, samples) for methods in (11, 31, 100) for samples in (30, 100, 1000)]


def percent(share: float) -> str:
    return number(100 * share, 0)


def plain(procedure: str, scores: str, samples: int, value: str) -> dict[int, float]:
    """A value by the number of methods, without weights and with all scores."""
    table = FILE[~FILE["weighted"] & ~FILE["missing"] & (FILE["procedure"] == procedure)]
    found = table[(table["scores"] == scores) & (table["samples"] == samples)]
    return dict(zip(found["methods"], found[value], strict=True))


def cell(row: pd.Series) -> str:
    marked = percent(row["marked"])
    return number(row["error"]) + (f" ({marked} %)" if marked != "0" else "")


def test_the_table_is_that_of_the_file() -> None:
    shown = rows(PAGE, r"(?!scores|-).*", len(COLUMNS))
    assert len(shown) == 14
    for name, cells in shown.items():
        scores = name.removesuffix(", weighted").removesuffix(", some missing")
        found = SIGNS[
            (SIGNS["scores"] == scores)
            & (SIGNS["weighted"] == name.endswith(", weighted"))
            & (SIGNS["missing"] == name.endswith(", some missing"))
        ]
        shown_there = {(row["methods"], row["samples"]): cell(row) for _, row in found.iterrows()}
        assert cells == [shown_there.get(key, "") for key in COLUMNS], name


def test_what_is_said_of_exchangeable_scores() -> None:
    above = (EXCHANGEABLE["error"] > 0.05 + 2 * EXCHANGEABLE["error_se"]).sum()
    assert_says(
        PAGE,
        f"of {len(EXCHANGEABLE)} such rows in the file {above} is more than two standard errors above .05, and the mean"
        f" is {number(EXCHANGEABLE['error'].mean(), 3)}",
    )
    assert EXCHANGEABLE["coverage"].min() >= 0.95
    assert_says(
        PAGE, f"exchangeable scores ({number(100 * EXCHANGEABLE['coverage'].mean(), 1)} % on average)"
    )


def test_what_is_said_of_marks() -> None:
    bad = SIGNS["error"] > 0.1
    assert_says(
        PAGE, f"{percent(SIGNS.loc[bad, 'marked'].mean())} % are marked; of those whose error is less,"
    )
    assert_says(PAGE, f"whose error is less, {percent(SIGNS.loc[~bad, 'marked'].mean())} %.")
    quiet = EXCHANGEABLE[
        ~EXCHANGEABLE["weighted"] & ~EXCHANGEABLE["scores"].isin(["exponential", "lognormal"])
    ]
    assert_says(PAGE, f"hardly ever marked ({percent(quiet['marked'].max())} % at most)")


@pytest.mark.parametrize("methods", [5, 11, 31, 100])
def test_what_is_found(methods: int) -> None:
    found = [number(plain("signs", "normal", samples, "found")[methods]) for samples in (30, 100, 1000)]
    assert_says(PAGE, f"{methods} methods {', '.join(found)}")


def test_other_procedures() -> None:
    def pair(procedure: str, value: str) -> str:
        return " and ".join(number(plain(procedure, "normal", 100, value)[methods]) for methods in (11, 31))

    assert_says(
        PAGE,
        f"Gaussian draws find {pair('gaussian', 'found')} of the differences where signs find {pair('signs', 'found')},"
        f" but err at {pair('gaussian', 'error')} instead of {pair('signs', 'error')}.",
    )
    rare = plain("gaussian", "rare events", 100, "error")
    assert_says(PAGE, f"Without it Gaussian draws err at {number(rare[11])} and {number(rare[31])}")
    bootstrap = FILE[FILE["procedure"] == "bootstrap"]
    assert not bootstrap["found"].any()
    assert (bootstrap["width"] == bootstrap["methods"] - 1).all()
