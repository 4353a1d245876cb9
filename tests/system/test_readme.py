"""The README is true: its examples run as a new user would run them, and its tables are those of the results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent

SHELL = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)[2:]
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new user's folder: the README's files, weights of their own model, images of their own."""
    here = tmp_path_factory.mktemp("newcomer")
    for block in PYTHON:
        if named := re.match(r"# (\w+\.py)\n", block):
            (here / named[1]).write_text(block)
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(2, 3 * 16 * 16, generator=generator), torch.zeros(2)
    save_file({"1.weight": weight, "1.bias": bias}, here / "mymodel.safetensors")
    noise = np.random.default_rng(0)
    for split, name, count in (
        ("train", "round", 3),
        ("train", "square", 3),
        ("test", "round", 4),
        ("test", "square", 4),
    ):
        images = here / "shapes" / split / name
        images.mkdir(parents=True)
        for index in range(count):
            Image.fromarray(noise.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(images / f"{index}.png")
    return here


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(  # noqa: S602 - the README's own lines
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", [line for block in SHELL for line in block.splitlines() if line])
def test_examples_of_the_shell(command: str, folder: Path) -> None:
    finished = run(command, folder)
    assert finished.returncode == 0, finished.stderr
    if out := re.search(r"--out (\S+)", command):
        assert (folder / out[1] / "leaderboard.csv").read_text().count(",ok,") > 0


def test_example_of_python(folder: Path) -> None:
    (block,) = [block for block in PYTHON if "xb.run" in block]
    finished = run(
        f"{sys.executable} - <<'END'\n{block}\nassert len(run.leaderboard) and gini.shape == (8,)\nEND",
        folder,
    )
    assert finished.returncode == 0, finished.stderr


def test_the_method_takes_five_lines() -> None:
    (block,) = [block for block in PYTHON if "squared_gradient" in block]
    assert len([line for line in block.splitlines() if line and not line.startswith("#")]) <= 5


def test_the_model_table_is_that_of_the_cards() -> None:
    """Accuracy, accuracy under attack and certified accuracy on two data sets, of the first seed."""
    found = re.findall(r"^\| `([\w.]+)` \| (\w+) \|((?: \S* \|){6})$", README, re.MULTILINE)
    rows = {name: (family, *map(str.strip, cells.split("|")[:6])) for name, family, cells in found}
    cards = [json.loads(path.read_text()) for path in sorted((ROOT / "models/weights").glob("*.json"))]
    first = {(card["name"], card["dataset"]): card for card in cards if not card["seed"]}
    expected = {
        name: (
            card["family"],
            *_shown(first.get((name, "digits"))),
            *_shown(first.get((name, "fashion-mnist"))),
        )
        for (name, dataset), card in first.items()
        if dataset in ("digits", "fashion-mnist")
    }
    assert rows == expected


def _shown(card: dict | None) -> tuple[str, str, str]:
    if card is None:
        return "", "", ""
    certified = card.get("certified_accuracy")
    return (
        f"{card['accuracy']:.3f}",
        f"{card['attacked_accuracy']['accuracy']:.3f}",
        f"{certified['0.5']:.3f}" if certified else "–",
    )


def test_the_table_shown_is_that_of_the_results() -> None:
    page = (ROOT / "results/quick/leaderboard.md").read_text()
    lines = [line for line in README.splitlines() if line.startswith("| cnn.standard |")]
    assert len(lines) == 10
    assert all(line in page.splitlines() for line in lines)


ATTACK = "step=1,steps=20,restarts=2,beta=5,through=auto,other=]"
TOPK, LENS = ("topk_intersection", "k=100"), ("lens_recall", "k=100,window=1,reference=clean")
UNDER = {
    "noise": "sign_noise[eps=0.1]",
    "attack": f"topk_attack[k=100,eps=0.1,{ATTACK}",
    "aware": f"lens_attack[k=100,window=1,keep=recall,eps=0.1,{ATTACK}",
}


def test_the_table_of_robustness_is_that_of_the_results() -> None:
    """Of saliency, on the samples that all networks have in common."""
    found = re.findall(r"^\| `(\w+\.\w+)` \| ([^|]+\(.+) \|$", README, re.MULTILINE)  # the one with intervals
    table = pd.read_csv(ROOT / "results/lens/robustness.csv")
    rows = table[(table["method"] == "saliency") & table["column"].isna()]
    places = zip(*(rows[name] for name in ("model", "metric", "settings", "perturbation")), strict=True)
    known = dict(zip(places, rows.to_dict("records"), strict=True))

    def number(value: float) -> str:
        return f"{value:.2f}".replace("0.", ".").replace("-", "−")

    def interval(row: dict, score: str, ends: str) -> str:
        low, high = (number(row[f"{ends}_{end}"]) for end in ("low", "high"))
        return f"{number(row[score])} ({low}–{high})"

    expected = {}
    for model in sorted(set(table["model"])):
        topk = [known[model, *TOPK, UNDER[under]] for under in ("noise", "attack")]
        lens = {under: known[model, *LENS, text] for under, text in UNDER.items()}
        raw = [lens["attack"][name] for name in ("common_mean", "common_chance")]
        cells = [interval(row, "common_mean", "common") for row in topk]
        cells += map(number, raw)
        expected[model] = [*cells, *(interval(row, "common_above", "common_above") for row in lens.values())]
    assert {name: cells.split(" | ") for name, cells in found} == expected
