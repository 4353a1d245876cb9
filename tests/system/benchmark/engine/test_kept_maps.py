"""A run keeps the maps that its scores were computed from, whatever ran before and in between."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import xaiboard.benchmark as xb
from helpers import Runner
from torch import Tensor, nn
from xaiboard.benchmark.errors import XaiboardWarning
from xaiboard.benchmark.report import publish as publishing
from xaiboard.benchmark.report.left_out import Rule
from xaiboard.benchmark.report.publish import publish
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.request import Request, read_request
from xaiboard.benchmark.runs import running
from xaiboard.benchmark.runs.maps import keep_maps
from xaiboard.benchmark.store.damage import DamagedError
from xaiboard.benchmark.store.known_outputs import read_known_outputs
from xaiboard.benchmark.store.maps import IMAGE, MAP, image_of, map_of, read_maps
from xaiboard.benchmark.store.verify import verify

RequestOf = Callable[..., Request]

EXPLAINED: list[int] = []
"""How many samples each call of ``counted`` was given."""


def counted(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    EXPLAINED.append(len(x))
    return x * (1 + target[:, None, None, None])


def failing(model: nn.Module, x: Tensor) -> Tensor:
    if isinstance(model[0], nn.Conv2d):  # pyright: ignore[reportIndexIssue]
        raise ValueError("not on convolutions")
    return x


def careless(model: nn.Module, x: Tensor) -> Tensor:
    for parameter in model.parameters():
        parameter.data.zero_()
    return x


class Gain:
    """Something that nobody looks into, and so cannot put back."""

    __slots__ = ("factor",)

    def __init__(self) -> None:
        self.factor = 1.0


GAIN = Gain()


class Amplified(nn.Sequential):
    """A network that depends on a global variable."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) * GAIN.factor


def spoiling(model: nn.Module, x: Tensor) -> Tensor:
    if len(x) > 2:  # not yet where it is tried
        GAIN.factor = -1.0
    return x


def huge(model: nn.Module, x: Tensor) -> Tensor:
    return (x + 1) * 1e300


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and copies without the tables that follow from the scores, which take most of their time."""
    monkeypatch.setattr(running, "write_tables", lambda *_: None)
    monkeypatch.setattr(publishing, "write", lambda *_: None)


@pytest.fixture
def request_of(selection: dict[str, object]) -> RequestOf:
    def make(**changed: object) -> Request:
        return read_request(**{**selection, **changed})  # pyright: ignore[reportArgumentType]

    return make


def arrays(maps: pd.DataFrame) -> dict[tuple[str, str, int], np.ndarray]:
    return {(row["model"], row["method"], row["sample"]): map_of(row) for row in maps.to_dict("records")}


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two tables hold the same maps to a step, which rounding in a batch of another size may cost."""
    first, second = arrays(one), arrays(other)
    return first.keys() == second.keys() and all(
        np.allclose(first[key], second[key], atol=np.abs(first[key]).max() / 100) for key in first
    )


def test_maps_are_those_of_the_first_samples(run: Runner, mlp: nn.Module, cnn: nn.Module) -> None:
    finished = run(keep=5)
    maps, images = finished.results.maps, finished.results.images
    assert list(maps) == MAP and list(images) == IMAGE
    x = xb.load_data("tiny").x
    for model, module in {"mlp": mlp, "cnn": cnn}.items():
        for method in ("saliency", "random"):
            wanted = xb.explain(module, method, x, module(x).argmax(1)).sum(1)[:5]
            found = maps[(maps["model"] == model) & (maps["method"] == method)]
            assert list(found["sample"]) == [0, 1, 2, 3, 4]
            for (_, row), map_ in zip(found.iterrows(), wanted.numpy(), strict=True):
                np.testing.assert_allclose(map_of(row), map_, atol=np.abs(map_).max() / 250)
    assert list(images["sample"]) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(image_of(images.iloc[3]), x[3], atol=1 / 500)
    assert verify(finished.folder)[0] == []


def test_maps_of_scored_samples_are_not_computed_again(run: Runner, tmp_path: Path) -> None:
    numbers = []
    for keep in (0, 12):
        EXPLAINED.clear()
        folder = run(methods=[counted], metrics="gini", keep=keep, out=tmp_path / str(keep)).folder
        numbers.append(sum(EXPLAINED))
        assert (folder / "maps.parquet").exists() == (folder / "images.parquet").exists() == (keep > 0)
    assert numbers[0] == numbers[1]
    EXPLAINED.clear()
    known = run(methods=[counted], metrics="gini", reuse=tmp_path / "12", out=tmp_path / "reusing", keep=12)
    again = run(methods=[counted], metrics="gini", reuse=tmp_path / "12", out=tmp_path / "reusing", keep=12)
    assert max(EXPLAINED) < 12
    assert same(known.results.maps, read_maps(tmp_path / "12")) and same(
        again.results.maps, known.results.maps
    )


def test_batches_and_resumption_make_no_difference(run: Runner, tmp_path: Path) -> None:
    words = {"methods": "saliency,random,smoothgrad[draws=2]", "keep": 7}
    maps = run(**words).results.maps
    assert len(maps) == 2 * 3 * 7
    assert same(run(**words, batch_size=2, out=tmp_path / "batches").results.maps, maps)
    run(**{**words, "keep": 3}, out=tmp_path / "resumed")
    assert same(run(**words, batch_size=5, out=tmp_path / "resumed").results.maps, maps)


def test_maps_of_several_runs_stand_side_by_side(run: Runner, mlp: nn.Module, cnn: nn.Module) -> None:
    whole = run(models={"mlp": mlp}, keep=4).results.maps
    both = run(models={"cnn": cnn}, methods="saliency", keep=2).results.maps
    assert both.groupby(["model", "method"]).size().to_dict() == {
        ("cnn", "saliency"): 2, ("mlp", "random"): 4, ("mlp", "saliency"): 4,
    }  # fmt: skip
    assert same(both[both["model"] == "mlp"], whole)


def test_another_network_under_the_same_name_replaces_its_maps(run: Runner, mlp: nn.Module) -> None:
    before = run(models={"net": mlp}, keep=4).results.maps
    with torch.no_grad():
        mlp.get_parameter("1.weight").mul_(-1)
    after = run(models={"net": mlp}, methods="saliency", keep=0).results
    assert not len(after.maps) and not len(after.images)
    again = run(models={"net": mlp}, methods="saliency", keep=2).results.maps
    assert len(again) == 2 and not same(again, before[before["method"] == "saliency"][:2])


def test_methods_that_fail_or_are_refused_have_no_maps(run: Runner, cnn: nn.Module) -> None:
    words = {
        "methods": ["saliency", "gradcam", "lrp_epsilon", careless, failing],
        "metrics": "gini",
        "keep": 2,
    }
    with pytest.warns(XaiboardWarning, match="cells failed"):
        finished = run(**words)
    pairs = set(finished.results.maps.groupby(["model", "method"]).groups)
    assert {("cnn", "saliency"), ("cnn", "gradcam"), ("cnn", "careless"), ("mlp", "failing")} <= pairs
    assert not {("mlp", "gradcam"), ("cnn", "failing")} & pairs
    for name in ("maps.parquet", "images.parquet"):
        (finished.folder / name).unlink()
    with pytest.warns(XaiboardWarning):
        again = run(**words)  # now they are computed at the end, with a careless method among them
    assert same(again.results.maps, finished.results.maps)


def test_a_network_that_was_spoilt_for_good_has_no_maps_from_then_on(run: Runner, mlp: nn.Sequential) -> None:
    GAIN.factor = 1.0
    with pytest.warns(XaiboardWarning, match="no maps of 'sobel' on 'net': model 'net' no longer computes"):
        finished = run(
            models={"net": Amplified(*mlp).eval()},
            methods=["saliency", spoiling, "sobel"],
            metrics="gini",
            keep=2,
        )
    assert set(finished.results.maps["method"]) == {"saliency"}


def test_maps_beyond_the_range_of_numbers_are_not_kept(run: Runner) -> None:
    finished = run(methods=[huge, "saliency"], metrics="gini", dtype="float64", keep=2)
    assert set(finished.results.maps["method"]) == {"saliency"}


# maps alone


def test_a_published_copy_gets_its_maps(run: Runner, request_of: RequestOf, tmp_path: Path) -> None:
    words = {"methods": ["saliency", "gradcam", "random", failing], "metrics": "gini"}
    with pytest.warns(XaiboardWarning, match="cells failed"):
        run(**words, keep=0)
        maps = run(**words, keep=3, out=tmp_path / "with").results.maps
    copy = tmp_path / "copy"
    publish(tmp_path / "run", copy, [Rule(model=("cnn",), method=("random",))])
    before = {path.name: path.read_bytes() for path in copy.iterdir() if path.name != "run.json"}
    with pytest.warns(
        XaiboardWarning, match="no maps of 'failing' on 'cnn': ValueError: not on convolutions"
    ):
        kept = keep_maps(request_of(**words, keep=3, out=copy), progress=False)
    left = maps[~((maps["model"] == "cnn") & (maps["method"] == "random"))]
    assert same(Results(copy).maps, left) and len(kept.images) == 3
    after = {path.name: path.read_bytes() for path in copy.iterdir() if path.name != "run.json"}
    assert after.keys() - before.keys() == {"maps.parquet", "images.parquet"}
    assert {name: after[name] for name in before} == before
    assert verify(copy)[0] == []
    assert len(read_known_outputs(copy)) >= 2  # of the networks, by which they are known again


def test_maps_that_would_not_fit_the_scores_are_refused(
    run: Runner,
    request_of: RequestOf,
    mlp: nn.Sequential,
    tmp_path: Path,
) -> None:
    words = {"models": {"net": mlp}, "methods": "saliency", "keep": 0}
    folder = run(**words).folder
    words |= {"keep": 2, "out": folder}
    with pytest.raises(xb.XaiboardError, match="leave --reuse and '--keep 0' out"):
        keep_maps(request_of(**words, reuse=folder))
    with pytest.raises(xb.XaiboardError, match="no run in"):
        keep_maps(request_of(**{**words, "out": tmp_path / "nowhere"}))
    with pytest.raises(xb.XaiboardError, match="holds a run with samples 12, this one has 11"):
        keep_maps(request_of(**words, samples=11))
    with pytest.raises(xb.XaiboardError, match="has no cells of the selected models and methods"):
        keep_maps(request_of(**{**words, "methods": "random"}))
    handle = mlp.register_forward_hook(lambda *given: -given[-1])
    with pytest.raises(xb.XaiboardError, match="model 'net' computes something else than when the scores"):
        keep_maps(request_of(**words))
    handle.remove()
    with torch.no_grad():
        mlp.get_parameter("1.weight").mul_(-1)
    with pytest.raises(xb.XaiboardError, match=r"no cell of 'saliency' on 'net' in .* that these words name"):
        keep_maps(request_of(**words))
    assert not (folder / "maps.parquet").exists()


# files


def test_damaged_maps_are_named_and_block_no_table(run: Runner, tmp_path: Path) -> None:
    folder = run(keep=2).folder
    whole = (folder / "maps.parquet").read_bytes()
    for name in ("maps.parquet", "images.parquet"):
        (folder / name).write_bytes((folder / name).read_bytes()[:-9])
        assert [name in problem for problem in verify(folder)[0]] == [True]
        assert len(Results(folder).leaderboard)
        with pytest.raises(DamagedError, match=f"{name}' is damaged"):
            publish(folder, tmp_path / "copy")
        with pytest.warns(XaiboardWarning, match=f"{name}' is damaged .*: kept maps are left out"):
            run(keep=2)
        assert verify(folder)[0] == []
    assert (folder / "maps.parquet").read_bytes() == whole


def test_rows_of_another_size_than_they_say_are_damage(run: Runner, tmp_path: Path) -> None:
    table = pq.read_table(run(keep=2).folder / "maps.parquet").to_pandas()
    table["width"] += 1
    table.to_parquet(tmp_path / "maps.parquet")
    with (
        pytest.warns(XaiboardWarning),
        pytest.raises(DamagedError, match="another number of bytes than its sides"),
    ):
        read_maps(tmp_path)


def test_published_copies_have_the_maps_of_what_they_hold(run: Runner, tmp_path: Path) -> None:
    folder = run(keep=2).folder
    publish(folder, tmp_path / "all")
    for name in ("maps.parquet", "images.parquet"):
        assert (tmp_path / "all" / name).read_bytes() == (folder / name).read_bytes()
    publish(folder, tmp_path / "copy", [Rule(model=("cnn",))])
    assert set(Results(tmp_path / "copy").maps["model"]) == {"mlp"}
    assert len(Results(tmp_path / "copy").images) == 2
    assert verify(tmp_path / "copy")[0] == []
    shutil.rmtree(tmp_path / "copy")
    publish(folder, tmp_path / "copy", [Rule(method=("saliency", "random"))])
    assert not len(Results(tmp_path / "copy").maps)
