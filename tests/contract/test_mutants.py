"""The mutants of ``tests/mutation`` still fit the code that they change."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
MUTANTS = tomllib.loads((ROOT / "tests/mutation/mutants.toml").read_text("utf-8"))["mutant"]


def test_each_mutant_changes_one_place() -> None:
    misfits = [
        f"{mutant['file']}: {mutant['was']}"
        for mutant in MUTANTS
        if (ROOT / mutant["file"]).read_text("utf-8").count(mutant["was"]) != 1
        or mutant["was"] == mutant["is"]
    ]
    assert not misfits


def test_no_mutant_is_there_twice() -> None:
    repeated = Counter((mutant["file"], mutant["was"], mutant["is"]) for mutant in MUTANTS)
    assert [mutant for mutant, times in repeated.items() if times > 1] == []


def test_the_tests_of_each_mutant_are_there() -> None:
    named = {
        name.split("::")[0]
        for mutant in MUTANTS
        for name in mutant["tests"].split()
        if not name.startswith("-")
    }
    assert [name for name in sorted(named) if not (ROOT / "tests" / name).exists()] == []
