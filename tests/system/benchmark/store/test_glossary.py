"""What names in tables stand for: said by the run that wrote them, or read from their text and the built-in roles."""

from __future__ import annotations

import copy
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xaiboard.benchmark as xb
from torch import Tensor
from xaiboard.benchmark.errors import XaiboardWarning
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.write import write
from xaiboard.benchmark.store.damage import DamagedError
from xaiboard.benchmark.store.glossary import make_glossary, read_said, write_glossary
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.seal import seal_files
from xaiboard.benchmark.toolkit.labels import Label, MetricColumn

Runner = Callable[..., xb.Run]

SELECTED = {
    "methods": "saliency,random,blurred[of=random]",
    "metrics": "gini,lens_recall[k=9],topk_intersection[k=9],accuracy",
    "perturbations": "sign_noise,topk_attack[k=5,steps=2]",
}


def test_the_parts_of_names_are_those_of_the_components(run: Runner) -> None:
    glossary = run(**SELECTED).results.glossary
    assert glossary.methods["blurred[of=random]"] == Label(
        "blurred", {"of": "random", "sigma": "1"}
    )  # of eight pixels
    assert set(glossary.methods) == {"saliency", "random", "blurred[of=random]"}
    assert glossary.perturbations["sign_noise[eps=0.1]"] == Label("sign_noise", {"eps": "0.1"})
    assert glossary.settings["k=9,window=1,reference=clean"] == {
        "k": "9",
        "window": "1",
        "reference": "clean",
    }
    assert glossary.settings[""] == {}
    assert glossary.columns["lens_recall.chance"] == MetricColumn("lens_recall", "chance")
    assert glossary.is_plain("gini")
    assert not glossary.is_plain("lens_recall.chance")
    assert glossary.methods_with("random control") == ["random"]
    assert glossary.methods_with("blurred copy") == ["blurred[of=random]"]
    assert glossary.metric_with("overlap of top pixels") == "topk_intersection"
    assert glossary.metric_with("certified radius") == ""


def test_what_was_said_is_what_can_be_read(run: Runner, tmp_path: Path) -> None:
    """A folder that says nothing of its names, as the first published ones, has the same glossary, less sources."""
    finished = run(**SELECTED)
    (tmp_path / "old").mkdir()
    for name in ("cells.csv", "scores.parquet"):
        shutil.copy(finished.folder / name, tmp_path / "old" / name)
    assert read_said(tmp_path / "old") == {}
    assert Results(tmp_path / "old").glossary == replace(finished.results.glossary, sources={})


def test_columns_json_says_what_each_column_means(run: Runner) -> None:
    finished = run(**SELECTED)
    said = json.loads((finished.folder / "columns.json").read_text("utf-8"))
    assert set(said["columns"]) == set(finished.scores["metric"])
    assert said["columns"]["lens_recall.above_chance"] == {
        "metric": "lens_recall", "column": "above_chance", "family": "stability", "higher_is_better": True,
        "across_models": True, "range": [None, 1.0],
    }  # fmt: skip
    assert said["columns"]["lens_recall.chance"]["higher_is_better"] is None
    assert said["methods"]["random"] == {"name": "random", "settings": {}}
    assert said["perturbations"]["sign_noise[eps=0.1]"] == {"name": "sign_noise", "settings": {"eps": "0.1"}}
    assert said["roles"]["methods"] == {"random": ["random control"], "blurred": ["blurred copy"]}
    assert said["sources"]["methods"]["saliency"] == "Simonyan et al. 2014, arXiv:1312.6034"
    assert said["files"]["curves.csv"]["columns"]["model"] == "name of the network"


def test_columns_json_keeps_the_roles_where_records_are_gone(run: Runner) -> None:
    """As those of a plug-in, of which a rebuild knows nothing else."""

    @xb.method(control=True, roles=["random control"])
    def dice(x: Tensor) -> Tensor:
        return x.flip(-1)

    finished = run(methods="saliency,dice", metrics="gini")
    health = finished.results.health
    assert health["random_rank"].notna().all()
    shutil.rmtree(finished.folder / "records")
    again = Results(finished.folder)
    assert again.glossary.methods_with("random control") == ["dice"]
    before = (finished.folder / "columns.json").read_bytes()
    write(finished.folder, again)
    assert (finished.folder / "columns.json").read_bytes() == before
    (finished.folder / "columns.json").unlink()
    assert Results(finished.folder).health["random_rank"].isna().all()


def test_ranges_are_those_that_metrics_declare(run: Runner) -> None:
    """Without columns.json the plan says them, and columns.json does where records are gone."""

    @xb.metric(
        family="own",
        higher_is_better=True,
        range=(-2, 3),
        columns={"low": xb.Column(range=(-inf, 0)), "silent": xb.Column()},
    )
    def bounded(x: Tensor) -> dict[str, Tensor]:
        score = x.flatten(1).mean(1)
        return {"": score, "low": -score, "silent": score}

    wanted = {
        "bounded": (-2, 3), "bounded.low": (-inf, 0), "bounded.silent": (-inf, inf), "gini": (0, 1)
    }  # fmt: skip
    finished = run(methods="saliency", metrics="bounded,gini")
    assert finished.results.glossary.ranges == wanted
    said = json.loads((finished.folder / "columns.json").read_text("utf-8"))["columns"]
    assert {text: column["range"] for text, column in said.items()} == {
        "bounded": [-2, 3], "bounded.low": [None, 0], "bounded.silent": [None, None], "gini": [0, 1]
    }  # fmt: skip
    (plan,) = (finished.folder / "records").glob("plan-*.json")
    assert "Infinity" not in plan.read_text()
    shutil.rmtree(finished.folder / "records")
    assert Results(finished.folder).glossary.ranges == wanted
    (finished.folder / "columns.json").unlink()
    assert Results(finished.folder).glossary.ranges == dict.fromkeys(wanted, (-inf, inf)) | {"gini": (0, 1)}


def test_columns_json_of_earlier_versions_has_no_ranges(run: Runner) -> None:
    finished = run(**SELECTED)
    shutil.rmtree(finished.folder / "records")
    path = finished.folder / "columns.json"
    said = json.loads(path.read_text("utf-8"))
    for column in said["columns"].values():
        del column["range"]
    path.write_text(json.dumps(said))
    seal_files(finished.folder, [path.name])
    assert Results(finished.folder).glossary == finished.results.glossary


def test_plans_of_earlier_versions_say_less(run: Runner) -> None:
    finished = run(**SELECTED)
    (finished.folder / "columns.json").unlink()
    (path,) = (finished.folder / "records").glob("plan-*.json")
    plan = json.loads(path.read_text())
    path.unlink()
    Store(finished.folder).plan(
        {name: part for name, part in plan.items() if name not in ("labels", "roles")}
    )
    assert Results(finished.folder).glossary == finished.results.glossary


def test_a_damaged_file_is_said(run: Runner) -> None:
    finished = run(metrics="gini")
    (finished.folder / "columns.json").write_text("{")
    with pytest.warns(XaiboardWarning, match=r"columns.json' is damaged .* made anew from what was planned"):
        assert Results(finished.folder).glossary == finished.results.glossary
    shutil.rmtree(finished.folder / "records")
    with pytest.raises(xb.XaiboardError, match=r"columns.json' is damaged .*; restore it"):
        _ = Results(finished.folder).glossary


@pytest.mark.parametrize(
    "text", ["[]", "null", "5", '{"methods": 5}', '{"columns": {"gini": {"metric": 5}}}', '{"roles": [1]}']
)
def test_other_json_is_refused_also_where_nothing_is_sealed(run: Runner, tmp_path: Path, text: str) -> None:
    finished = run(metrics="gini")
    for name in ("cells.csv", "scores.parquet"):
        shutil.copy(finished.folder / name, tmp_path / name)
    (tmp_path / "columns.json").write_text(text)
    with pytest.raises(xb.XaiboardError, match=r"columns.json' is damaged"):
        _ = Results(tmp_path).glossary


# JSON of other shapes

CELLS = pd.DataFrame(
    {
        "method": ["mine"],
        "method_settings": [""],
        "metric": ["gini"],
        "settings": ["k=9"],
        "perturbation": ["noise"],
    }
)
SAID: dict[str, Any] = {
    "columns": {"gini": {"metric": "gini", "column": "", "range": [0, None]}},
    "settings": {"k=9": {"k": "9"}},
    "methods": {"mine": {"name": "mine", "settings": {"a": "1"}}},
    "perturbations": {"noise": {"name": "noise", "settings": {}}},
    "roles": {"methods": {"mine": ["random control"]}},
}
SCORES = pd.DataFrame(
    {
        "metric": ["gini"],
        "metric_family": ["complexity"],
        "higher_is_better": ["True"],
        "across_models": [True],
    }
)


def variants(content: Any) -> Iterator[Any]:  # noqa: ANN401
    """What JSON can hold in the place of each part of ``content``, one at a time."""
    yield from (5, "x", [], {}, None, True, [5], {"x": 5}, {"x": {}}, {"x": [5]})
    items = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for name, part in items:
        for other in variants(part):
            changed = copy.copy(content)
            changed[name] = other
            yield changed


@pytest.mark.filterwarnings("ignore::xaiboard.benchmark.errors.XaiboardWarning")
def test_a_glossary_of_another_shape_is_one_sentence(tmp_path: Path) -> None:
    ends = Counter()
    for content in variants(SAID):
        (tmp_path / "columns.json").write_text(json.dumps(content))
        try:
            glossary = make_glossary(CELLS, ["gini"], read_said(tmp_path))
        except DamagedError as error:
            assert "\n" not in str(error)
            ends["refused"] += 1
        else:
            write_glossary(tmp_path, glossary, SCORES)
            ends["read"] += 1
    assert min(ends["refused"], ends["read"]) > 20
