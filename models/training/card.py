"""The card of a trained model: what was trained, how, and its accuracies on the whole test split."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ...benchmark.components.kinds import Model
from ...benchmark.lipschitz.bounds import RADII, audit, certified_radius
from ...benchmark.toolkit.data import Data
from ...benchmark.toolkit.files import file_name, write_file
from ...benchmark.toolkit.pgd import pgd_linf

ATTACK: Mapping[str, Any] = {"eps": 0.1, "step": 0.0125, "steps": 20}
"""Settings of the attack for the attacked accuracy: PGD in the L-inf ball, with one random start."""

AUDITED = 1000
"""Test images from which the audit searches for steep slopes."""

CHUNK = 256
"""Test images that are passed through the network, and attacked, at once."""


@dataclass(frozen=True)
class Run:
    """A finished training.

    Args:
        name: name of the registered model.
        dataset: name of the data set.
        recipe: settings of the recipe, ready for JSON.
        epochs: passes over the training split.
        seed: seed of the training.
        digest: digest of the training split.
        seconds: how long the training took.
        device: the device on which it ran.
    """

    name: str
    dataset: str
    recipe: Mapping[str, object]
    epochs: int
    seed: int
    digest: str
    seconds: float
    device: str


def make_card(model: nn.Module, entry: Model, test: Data, run: Run) -> dict[str, object]:
    """The content of a card, apart from the digest of the weights. Accuracies are shares of the test split.

    Args:
        model: the trained network in eval mode, on ``run.device``.
        entry: its entry; certified accuracies are stated if it claims to be 1-Lipschitz and the audit confirms it.
        test: the whole test split.
        run: how it was trained.
    """
    return {
        "name": run.name,
        "dataset": run.dataset,
        "family": entry.family,
        "architecture": entry.name.partition(".")[0],
        "shape": list(test.shape),
        "classes": len(test.classes),
        "recipe": dict(run.recipe),
        "epochs": run.epochs,
        "seed": run.seed,
        "data": run.digest,
        **_measure(model, test, run.device, claims=entry.lipschitz is not None),
        "seconds": round(run.seconds, 1),
        "hardware": _hardware(torch.device(run.device)),
        "versions": versions(constrained=entry.lipschitz is not None),
    }


def write(model: nn.Module, card: Mapping[str, object], out: Path) -> Path:
    """Writes ``NAME@DATASET.safetensors`` and the card beside it, each whole or not at all; path of the weights."""
    weights = out / f"{file_stem(str(card['name']), str(card['dataset']))}.safetensors"
    content = save({name: value.cpu().contiguous() for name, value in model.state_dict().items()})
    stated = {**card, "weights": sha256(content).hexdigest()}
    write_file(weights, lambda path: path.write_bytes(content))
    text = json.dumps(stated, indent=2, sort_keys=True) + "\n"
    write_file(weights.with_suffix(".json"), lambda path: path.write_text(text, "utf-8"))
    return weights


def file_stem(name: str, dataset: str) -> str:
    """``NAME@DATASET``: the names of a training's files without their suffixes."""
    # A data set's name may hold a path (image-folder:PATH), a file's name may not.
    return f"{name}@{file_name(dataset)}"


def versions(*, constrained: bool) -> dict[str, str]:
    """Versions of Python and of the packages that a training depends on; with ``constrained`` also deel-torchlip's."""
    packages = ["xaiboard", "torch", *(["deel-torchlip"] if constrained else [])]
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _measure(model: nn.Module, test: Data, device: str, *, claims: bool) -> dict[str, object]:
    """Accuracies on the test split; with ``claims``, Lipschitz bounds and certified accuracies too."""
    logits, attacked = [], []
    generator = torch.Generator(device).manual_seed(0)
    for x, label in zip(test.x.split(CHUNK), test.label.split(CHUNK), strict=True):
        x, label = x.to(device), label.to(device)  # noqa: PLW2901
        logits.append(_logits(model, x))
        attacked.append(_logits(model, pgd_linf(model, x, label, generator=generator, **ATTACK)))
    correct = torch.cat(logits).argmax(1) == test.label
    measured: dict[str, object] = {
        "accuracy": _share(correct),
        "attacked_accuracy": {
            "attack": "pgd_linf",
            **ATTACK,
            "accuracy": _share(torch.cat(attacked).argmax(1) == test.label),
        },
    }
    if claims:
        model = model.cpu()
        bounds = audit(model, test.x[:AUDITED])
        measured["lipschitz"] = {"upper": round(bounds.upper, 6), "lower": round(bounds.lower, 6)}
        if bounds.passes:
            radius = certified_radius(model, torch.cat(logits), test.shape)
            measured["certified_accuracy"] = {f"{r:g}": _share(correct & (radius >= r)) for r in RADII}
    return measured


@torch.no_grad()
def _logits(model: nn.Module, x: Tensor) -> Tensor:
    return model(x).cpu()


def _share(correct: Tensor) -> float:
    """Share of True, to 4 decimals."""
    return round(float(correct.double().mean()), 4)


def _hardware(device: torch.device) -> dict[str, object]:
    if device.type == "cuda":
        return {"device": torch.cuda.get_device_name(device)}
    return {"device": str(device), "cores": os.cpu_count(), "threads": torch.get_num_threads()}
