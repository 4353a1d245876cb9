"""What tests of several folders use: small data and runs of it, code blocks of documents, published tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from xaiboard.benchmark.components import registry
from xaiboard.benchmark.report.sections import curves, gallery, methods
from xaiboard.benchmark.runs import running
from xaiboard.benchmark.toolkit.data import Data

ROOT = Path(__file__).parents[1]

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
    monkeypatch.setattr(running, "draw_robustness_gallery", lambda plan, path: None)
    monkeypatch.setattr(curves, "draw_curves", lambda *_: False)
    monkeypatch.setattr(methods, "draw_ranks", lambda *_: False)
    monkeypatch.setattr(gallery, "draw_gallery", lambda *_: False)


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


def files_below(folder: Path) -> dict[str, int]:
    """The files and folders in a folder, with their times: the same before and after where nothing was written."""
    return {
        str(path): path.lstat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
        if "__pycache__" not in path.parts
    }


# documents


class Block(NamedTuple):
    """A code block: its language, and its text. ``sh`` and ``python`` are run, others are shown."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """The file that the block is, if its first line names one: ``# squared.py``."""
        named = re.match(r"# (\w+\.\w+)\n", self.text)
        return named[1] if named else ""


def blocks(document: str) -> list[Block]:
    """The code blocks of a document, in order."""
    text = (ROOT / document).read_text("utf-8")
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]


def lines(block: Block) -> list[str]:
    """The commands of a block for the shell; a backslash at the end of a line continues it."""
    return [line for line in block.text.replace("\\\n", " ").splitlines() if line]


def prepare(folder: Path, document: str) -> None:
    """Puts into ``folder`` what a reader of the document has there.

    The files that its blocks are, weights for ``mymodel``, images in ``shapes``, and the published results.
    """
    for block in blocks(document):
        if block.file:
            (folder / block.file).write_text(block.text)
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(2, 3 * 16 * 16, generator=generator), torch.zeros(2)
    save_file({"1.weight": weight, "1.bias": bias}, folder / "mymodel.safetensors")
    noise = np.random.default_rng(0)
    for split, count in (("train", 3), ("test", 4)):
        for name in ("round", "square"):
            images = folder / "shapes" / split / name
            images.mkdir(parents=True)
            for index in range(count):
                pixels = noise.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(images / f"{index}.png")
    (folder / "results").symlink_to(ROOT / "results")


# published tables


RESULTS = ROOT / "results"

WORDS = (
    "dataset", "model", "family", "method", "metric", "settings", "perturbation", "status", "note", "column",
    "higher_is_better",
)  # fmt: skip


@cache
def table(folder: str, name: str) -> pd.DataFrame:
    """A table of a published run; words that are empty are empty texts."""
    found = pd.read_csv(RESULTS / folder / f"{name}.csv", dtype=dict.fromkeys(WORDS, str))
    return found.fillna({word: "" for word in WORDS if word in found})


def mean(folder: str, column: str, value: str = "mean", **where: str) -> pd.Series:
    """Values of a metric column by model and method, of the rows whose text contains what ``where`` says."""
    rows = table(folder, "leaderboard")
    rows = rows[rows["metric"] == column]
    for name, text in where.items():
        rows = rows[rows[name].str.contains(text, regex=False)]
    return rows.set_index(["model", "method"])[value].astype(float)


def number(value: float, digits: int = 2) -> str:
    """``.53``, ``−.12``, ``1.02``: halves are rounded away from zero, as readers do."""
    exact = Decimal(repr(round(float(value), 6))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return re.sub(r"^(-?)0\.", r"\1.", str(exact)).replace("-", "−")


def spread(values: pd.Series, digits: int = 2) -> str:
    """``.22 to .52``: the lowest and the highest."""
    return f"{number(values.min(), digits)} to {number(values.max(), digits)}"


@cache
def words(page: str) -> str:
    """The text of a document with single spaces."""
    return " ".join((ROOT / page).read_text("utf-8").split())


def assert_says(page: str, sentence: str) -> None:
    """The page has the sentence, whatever its line breaks."""
    assert " ".join(sentence.split()) in words(page)


def assert_row(page: str, name: str, *cells: str) -> None:
    """The page has a table whose row ``name`` has these cells."""
    assert_says(page, f"| {name} | {' | '.join(cells)} |")


def rows(page: str, pattern: str, cells: int) -> Mapping[str, list[str]]:
    """The other cells of the table rows whose first cell matches, by the first one; of rows of so many other cells."""
    lines = [line for line in (ROOT / page).read_text("utf-8").splitlines() if line.startswith("|")]
    split = [[cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")] for line in lines]
    return {first: rest for first, *rest in split if re.fullmatch(pattern, first) and len(rest) == cells}
