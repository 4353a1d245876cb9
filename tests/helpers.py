"""A data set of small random images, two small untrained networks, and runs of them in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import xaiboard.benchmark as xb
from torch import nn
from xaiboard.benchmark import api
from xaiboard.benchmark.components import registry
from xaiboard.benchmark.report.sections import curves
from xaiboard.benchmark.toolkit.data import Data

Runner = Callable[..., xb.Run]

REGISTRIES: tuple[Any, ...] = (
    registry.datasets,
    registry.models,
    registry.methods,
    registry.metrics,
    registry.perturbations,
)
SAMPLES, CLASSES = 12, 4


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """Takes back what a test registers."""
    before = [dict(known.items()) for known in REGISTRIES]
    yield
    for known, entries in zip(REGISTRIES, before, strict=True):
        known._entries.clear()
        known._entries.update(entries)


def _images(split: str) -> Data:
    generator = torch.Generator().manual_seed({"train": 1, "test": 2}[split])
    x = torch.rand(SAMPLES, 1, 8, 8, generator=generator)
    return Data(x, torch.arange(SAMPLES) % CLASSES, [f"class {label}" for label in range(CLASSES)])


@pytest.fixture
def tiny(registries: None) -> str:
    """Twelve images of 8 by 8 pixels, four classes; ``tiny-masked`` is the same with masks."""

    @xb.dataset(name="tiny")
    def _tiny(split: str) -> Data:
        return _images(split)

    @xb.dataset(name="tiny-masked")
    def _masked(split: str) -> Data:
        data = _images(split)
        return Data(data.x, data.label, data.classes, data.x > 0.5)

    return "tiny"


@pytest.fixture
def mlp() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, CLASSES)).eval()


@pytest.fixture
def cnn() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, CLASSES)).eval()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without figures, which take most of a small run's time."""
    monkeypatch.setattr(api, "draw_gallery", lambda plan, path: None)
    monkeypatch.setattr(api, "draw_robustness_gallery", lambda plan, path: None)
    monkeypatch.setattr(curves, "draw_curves", lambda table, glossary, path: False)


@pytest.fixture
def selection(tiny: str, mlp: nn.Sequential, cnn: nn.Sequential) -> dict[str, object]:
    """A small product of objects and patterns; tests replace what they need."""
    return {
        "dataset": tiny,
        "models": {"mlp": mlp, "cnn": cnn},
        "methods": "saliency,random",
        "metrics": "gini,accuracy",
        "perturbations": "sign_noise",
    }


@pytest.fixture
def run(selection: dict[str, object], tmp_path: Path, quick: None) -> Runner:
    """``xb.run`` of the small product into ``run`` of the temporary folder."""

    def start(**changed: object) -> xb.Run:
        given = {**selection, "out": tmp_path / "run", "progress": False, **changed}
        return xb.run(**given)  # pyright: ignore[reportArgumentType]

    return start
