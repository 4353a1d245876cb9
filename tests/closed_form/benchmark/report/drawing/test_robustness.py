"""The robustness figure: its curves by hand, and when it is drawn."""

from __future__ import annotations

from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.report.drawing.model_robustness import draw_robustness, radii, survival
from xaiboard.benchmark.runs.running import write_tables
from xaiboard.benchmark.store.glossary import Glossary
from xaiboard.benchmark.toolkit.labels import read_metric_column
from xaiboard.benchmark.toolkit.roles import ATTACKED_RADIUS, CERTIFIED_RADIUS

RADIUS, DISTANCE = "certificate.radius", "distance"
GLOSSARY = Glossary(
    methods={},
    perturbations={},
    settings={},
    columns={text: read_metric_column(text) for text in (RADIUS, DISTANCE)},
    ranges=dict.fromkeys((RADIUS, DISTANCE), (0, inf)),
    roles={"metrics": {"certificate": (CERTIFIED_RADIUS,), "distance": (ATTACKED_RADIUS,)}},
)


def rows(model: str, metric: str, score: list[float], settings: str = "", family: str = "ot") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "family": family, "model": model, "sample": range(len(score)), "metric": metric, "settings": settings,
            "score": score,
        }
    )  # fmt: skip


@pytest.mark.parametrize("values", [[0.0, 1.0, 0.5, 1.0], [0.0, 0.0], [0.3], list(np.linspace(0, 2, 57))])
def test_a_curve_is_the_share_above_each_radius(values: list[float]) -> None:
    edges, share = survival(np.array(values))
    for radius in (0.0, 0.2, 0.3, 0.5, 0.7, 1.0, 1.7, 3.0):
        step = max(place for place, edge in enumerate(edges) if edge <= radius)
        assert share[step] == pytest.approx(sum(value > radius for value in values) / len(values))
    assert edges[0] == 0
    assert share[-1] == 0


def test_the_largest_certificate_and_the_nearest_attack_count() -> None:
    scores = pd.concat(
        [
            rows("a", RADIUS, [0.1, 0.2], "epsilon=0.1"), rows("a", RADIUS, [0.3, 0.1], "epsilon=1"),
            rows("a", DISTANCE, [1.0, 2.0], "steps=10"), rows("a", DISTANCE, [0.9, 3.0], "steps=20"),
            rows("b", DISTANCE, [0.5, 0.6], family="standard"), rows("b", "accuracy", [1.0, 1.0], family="standard"),
        ]
    ).astype({"metric": "category", "model": "category", "family": "category"})  # fmt: skip
    table = radii(scores, GLOSSARY)
    assert table["model"].tolist() == ["a", "a", "b", "b"]
    assert table["certified"].tolist()[:2] == [0.3, 0.2]
    assert table["certified"].isna().tolist() == [False, False, True, True]
    assert table["attacked"].tolist() == [0.9, 2.0, 0.5, 0.6]


@pytest.mark.parametrize(
    "families", [["ot"], ["own"], ["standard", "ot", "adversarial", "regularised", "own"]]
)
def test_any_families_are_drawn_the_same_bytes_each_time(tmp_path: Path, families: list[str]) -> None:
    scores = pd.concat(
        [
            rows(f"{family}.{place}", metric, list(np.random.default_rng(place).random(20)), family=family)
            for family in families
            for place in range(2)
            for metric in (RADIUS, DISTANCE)
        ]
    )
    for name in ("one.png", "other.png"):
        draw_robustness(scores, GLOSSARY, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()


@pytest.mark.parametrize("metric", [RADIUS, DISTANCE])
def test_one_kind_of_radius_is_enough_and_all_may_be_zero(tmp_path: Path, metric: str) -> None:
    assert draw_robustness(rows("a", metric, [0.0, 0.0]), GLOSSARY, tmp_path / "one.png")
    assert (tmp_path / "one.png").is_file()


def test_nothing_is_drawn_without_radii(tmp_path: Path) -> None:
    assert not draw_robustness(rows("a", "accuracy", [1.0]), GLOSSARY, tmp_path / "one.png")
    assert not draw_robustness(rows("a", "accuracy", [])[:0], GLOSSARY, tmp_path / "one.png")
    assert not (tmp_path / "one.png").exists()


def test_a_run_with_attacks_has_the_figure_and_its_tables_rebuild_it(
    tmp_path: Path, tiny: str, mlp: nn.Module
) -> None:
    @xb.metric(family="model", higher_is_better=True, roles=["distance to an attack"])
    def own_distance(logits: Tensor, label: Tensor) -> Tensor:
        return torch.where(logits.argmax(1) == label, logits.amax(1), 0.0)

    finished = xb.run(
        dataset=tiny, models={"net": mlp}, metrics="own_distance", out=tmp_path / "run", progress=False
    )
    figure = finished.folder / "robustness-tiny.png"
    before = figure.read_bytes()
    figure.unlink()
    write_tables(finished)
    assert figure.read_bytes() == before
