"""Sections of the page: the built-in ones in their order, and one that a plug-in brings with its metric."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark import cli
from xaiboard.benchmark.errors import XaiboardWarning
from xaiboard.benchmark.report import section as register
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.section import Section, section, sections

Runner = Callable[..., xb.Run]

PLUGIN = '''
import pandas as pd
from xaiboard.benchmark import metric
from xaiboard.benchmark.report.section import section


@metric(family="position", higher_is_better=True, roles=["share of the left half"])
def leftness(attribution):
    """Share of the magnitude that lies in the left half, ``(B,)``."""
    magnitude = attribution.abs()
    half = magnitude.shape[-1] // 2
    return magnitude[..., :half].flatten(1).sum(1) / magnitude.flatten(1).sum(1)


def of_metric(results):
    board = results.leaderboard
    return board[board["metric"] == results.glossary.metric_with("share of the left half")]


def note(results, dataset):
    return f"{len(of_metric(results))} means."


def draw(results, dataset, path):
    path.write_bytes(b"a picture")
    return True


@section(
    title="Position",
    question="On which side do the maps lie?",
    note=note,
    figures={"position": draw},
    files={"position.csv": of_metric},
    columns={"mean": "mean share of the left half"},
    legend="Left is left.\\n",
)
def position(results, dataset):
    rows = of_metric(results)
    return rows.loc[rows["dataset"] == dataset, ["model", "method", "mean"]].round(2)
'''


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """Takes back the sections that a test registers."""
    before = {made.name: made for made in sections()}
    yield
    register._REGISTER.by_name.clear()
    register._REGISTER.by_name.update(before)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "own_position.py"
    path.write_text(PLUGIN)
    return path


def nothing(results: Results, dataset: str) -> pd.DataFrame:
    return pd.DataFrame()


def test_every_section_has_a_question_and_its_place() -> None:
    titles = [made.title for made in sections()]
    assert titles == [
        "Models", "Robustness of models", "Methods", "Gallery", "Curves", "Families", "Attributional robustness",
        "Metric health", "Metric agreement", "Cells without scores",
    ]  # fmt: skip
    assert all(isinstance(made, Section) and made.question.endswith("?") for made in sections())
    assert [made.title for made in sections() if made.whole_run] == ["Cells without scores"]


def test_a_plug_in_brings_a_section_with_its_metric(run: Runner, plugin: Path) -> None:
    finished = run(metrics="gini", plugins=[plugin])
    page = (finished.folder / "leaderboard.md").read_text("utf-8")
    assert "Position" not in page
    assert "Left is left." not in page
    finished = run(metrics="gini,leftness", methods="saliency,gradcam", plugins=[plugin])
    page = (finished.folder / "leaderboard.md").read_text("utf-8")
    wanted = "### Position\n\n4 means.\n\nDrawn in `position-tiny.png`.\n\n| model | method   | mean |\n"
    assert wanted in page
    assert page.count("Left is left.\n") == 1
    assert page.index("Left is left.") < page.index("## tiny") < page.index("### Metric health")
    assert (
        page.index("### Metric health") < page.index("### Position") < page.index("## Cells without scores")
    )
    assert (finished.folder / "position-tiny.png").read_bytes() == b"a picture"
    written = pd.read_csv(finished.folder / "position.csv")
    assert set(written["metric"]) == {"leftness"}
    said = json.loads((finished.folder / "columns.json").read_text("utf-8"))
    assert said["roles"]["metrics"] == {"leftness": ["share of the left half"]}
    entry = said["files"]["position.csv"]
    assert entry["row"].endswith(
        "section 'position' of a plug-in, which asks: On which side do the maps lie?"
    )
    assert list(entry["columns"]) == list(written.columns)
    assert entry["columns"]["mean"] == "mean share of the left half"
    assert entry["columns"]["model"] == "what the section 'position' of a plug-in calls so"


def test_a_rebuild_with_the_plug_in_keeps_its_section(
    run: Runner, plugin: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = run(metrics="leftness", plugins=[plugin])
    page = finished.folder / "leaderboard.md"
    before = page.read_bytes()
    page.unlink()
    monkeypatch.setattr(
        "sys.argv", ["xaiboard", "leaderboard", str(finished.folder), "--plugin", str(plugin)]
    )
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    assert page.read_bytes() == before
    assert "position.csv" in capsys.readouterr().out


def test_a_section_that_is_defined_again_replaces_the_first() -> None:
    for title in ("One", "Other"):
        section(title=title, question="Which?")(nothing)
    assert [made.title for made in sections() if made.name == "nothing"] == ["Other"]


def test_a_name_that_is_taken_is_refused() -> None:
    def models(results: Results, dataset: str) -> pd.DataFrame:
        return pd.DataFrame()

    with pytest.raises(xb.XaiboardError, match="two sections of the report are named 'models'; rename one"):
        section(title="Mine", question="Which?")(models)


@pytest.mark.parametrize(
    "taken", [{"files": {"health.csv": lambda results: None}}, {"figures": {"curves": lambda *given: False}}]
)
def test_a_file_that_another_section_writes_is_refused(taken: dict) -> None:
    with pytest.raises(
        xb.XaiboardError, match=r"'(metric_health|curves)' and 'nothing' of the report both write"
    ):
        section(title="Mine", question="Which?", **taken)(nothing)


@pytest.mark.parametrize("name", ["cells.csv", "run.json", "../escape.csv", "a b.csv", "table.parquet"])
def test_files_that_a_section_must_not_write_are_refused(name: str) -> None:
    with pytest.raises(xb.XaiboardError, match=r"writes '.*'; name a .csv file"):

        @section(title="T", question="?", files={name: lambda results: results.cells})
        def greedy(results: Results, dataset: str) -> pd.DataFrame:
            return results.cells

    with pytest.raises(xb.XaiboardError, match=r"writes '\.\./up'; name a .csv file"):

        @section(title="T", question="?", figures={"../up": lambda results, dataset, path: False})
        def climbing(results: Results, dataset: str) -> pd.DataFrame:
            return results.cells


@pytest.mark.parametrize("part", ["table", "file"])
def test_a_section_of_a_plug_in_that_raises_costs_itself(part: str, run: Runner, tmp_path: Path) -> None:
    table = "raise ValueError('no table')" if part == "table" else "return results.cells[:1][['model']]"
    file = "raise ValueError('no file')" if part == "file" else "return None"
    path = tmp_path / "broken_section.py"
    path.write_text(
        "from xaiboard.benchmark import section\n\n\n"
        f"def whole(results):\n    {file}\n\n\n"
        "@section(title='Broken', question='Does it break?', files={'whole.csv': whole})\n"
        f"def broken(results, dataset):\n    {table}\n"
    )
    said = "^section 'broken' of the report failed: ValueError: no file$"
    with pytest.warns(XaiboardWarning, match=said) if part == "file" else nullcontext():
        folder = run(plugins=[path]).folder
    page = (folder / "leaderboard.md").read_text()
    assert "### Models" in page
    assert ("This section failed: ValueError: no table" in page) == (part == "table")
