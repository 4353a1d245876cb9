"""What the documents say of names, columns and files is what the code has."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache

import pandas as pd
import pyarrow.parquet as pq
import pytest
from helpers import RESULTS, ROOT, rows
from xaiboard.benchmark import metrics
from xaiboard.benchmark.claims.table import CLAIMS, PARTS
from xaiboard.benchmark.components.signature import VOCABULARY
from xaiboard.benchmark.report.comparison.table import COMPARE
from xaiboard.benchmark.store.dictionary import read_dictionary
from xaiboard.benchmark.store.maps import IDENTITY, IMAGE, MAP

FILES = read_dictionary()
ASKED_FOR = {"compare.csv": COMPARE, "claims.csv": CLAIMS, "claims_parts.csv": PARTS}
"""Tables that no published folder has, since they answer a question; their columns in the code."""

TABLES = [
    "curves.parquet",
    *(name for name in FILES if name.endswith(".csv") and name not in (*ASKED_FOR, "curves.csv")),
]
FOLDERS = sorted(path.parent for path in RESULTS.glob("*/cells.csv"))


def described(name: str) -> list[str]:
    return list(FILES[name]["columns"])


@pytest.mark.parametrize("name", TABLES)
def test_columns_of_tables_are_those_of_the_dictionary(name: str) -> None:
    found = [folder / name for folder in FOLDERS if (folder / name).is_file()]
    assert found, f"no published folder has {name}"
    for path in found:
        columns = list(
            (pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, nrows=0)).columns
        )
        fixed = [column for column in described(name) if "*" not in column]
        assert [column for column in columns if column in fixed] == fixed
        others = [column for column in columns if column not in fixed]
        assert not others or "*" in described(name)
        suffixes = {column.rpartition(":")[2] for column in others if ":" in column and "[" not in column}
        assert suffixes <= {"ci_low", "ci_high", "max"}


@pytest.mark.parametrize("name", ASKED_FOR)
def test_columns_of_answers_are_those_of_the_dictionary(name: str) -> None:
    assert described(name) == ASKED_FOR[name]


def test_columns_of_scores_are_those_of_the_dictionary() -> None:
    for folder in FOLDERS:
        assert pq.read_schema(folder / "scores.parquet").names == described("scores.parquet")


def test_columns_of_kept_maps_are_those_of_the_dictionary() -> None:
    assert described("maps.parquet") == [*MAP, IDENTITY]
    assert described("images.parquet") == IMAGE


def test_keys_of_a_run_are_those_of_the_dictionary() -> None:
    for folder in FOLDERS:
        assert set(json.loads((folder / "run.json").read_text())) <= set(described("run.json"))


def test_keys_of_the_glossary_are_those_of_the_dictionary() -> None:
    words = described("columns.json")
    top = [name for name in words if "/" not in name]
    inner = {
        part: {name.rpartition("/")[2] for name in words if name.startswith(f"{part}/")}
        for part in ("columns", "files")
    }
    for folder in FOLDERS:
        glossary = json.loads((folder / "columns.json").read_text())
        assert set(glossary) == set(top)
        assert all(set(column) == inner["columns"] for column in glossary["columns"].values())
        assert all(set(file) == inner["files"] for file in glossary["files"].values())
        assert set(glossary["columns"]) == set(pd.read_csv(folder / "leaderboard.csv")["metric"])


def test_every_table_that_is_written_is_in_the_dictionary() -> None:
    written = {
        path.name
        for folder in FOLDERS
        for path in folder.iterdir()
        if path.suffix in (".csv", ".json", ".parquet")
    }
    assert written <= set(FILES)


def test_shorthands_of_the_dictionary_are_used() -> None:
    words = tomllib.loads((ROOT / "benchmark/store/files.toml").read_text("utf-8"))
    texts = [text for file in words["file"].values() for text in file.get("columns", {}).values()]
    assert set(words["common"]) <= set(texts)


@pytest.mark.parametrize(("place", "kind"), list(enumerate(VOCABULARY))[:5])
def test_vocabulary(place: int, kind: str) -> None:
    table = rows("docs/reference/vocabulary.md", r"`\w+`", 6)
    assert {name.strip("`") for name, cells in table.items() if cells[1 + place] == "✓"} == set(
        VOCABULARY[kind]
    )


@cache
def compared() -> dict[str, set[bool]]:
    """Whether a metric column may compare models: by its name, and by ``.column`` for all metrics that have it."""
    found: dict[str, set[bool]] = {}
    for metric in metrics.values():
        for name in ("", *metric.columns):
            across = metric.column(name).across_models
            for known in (f"{metric.name}.{name}".rstrip("."), f".{name}"):
                found.setdefault(known, set()).add(across)
    return found


def test_what_the_columns_page_says_of_comparing_models() -> None:
    table = rows("docs/explanation/columns.md", r".*`.*", 2)
    seen = set()
    for names, (_, verdict) in table.items():
        for name in re.findall(r"`([.\w]+)`", names):
            said = verdict.startswith("yes")
            assert said in compared().get(name, {said}), (name, verdict)
            if not name.startswith("."):
                seen.add(name)
                assert name == "_div" or compared()[name] == {said}, (name, verdict)
    assert len(seen) > 50


def test_the_columns_page_names_every_metric() -> None:
    page = (ROOT / "docs/explanation/columns.md").read_text("utf-8")
    known = {name for name in metrics if f"`{name}`" in page or f"`{name}[" in page}
    assert {name for name in set(metrics) - known if "_div" not in name} == set()
