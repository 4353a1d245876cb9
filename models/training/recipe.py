"""Recipes: an objective with its settings, run from a data set to shipped weights."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType

import torch
from tqdm import tqdm

from ...benchmark.components.registry import models
from ...benchmark.errors import XaiboardError
from ...benchmark.subjects.datasets import load_data
from .card import Run, file_stem, make_card, versions, write
from .checkpoint import Checkpoint, State
from .finalise import constrain, finalise
from .fit import fit
from .objectives import Objective


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; called by ``xaiboard train``.

    Args:
        objective: makes the objective from the settings.
        settings: of the objective.
        constrained: whether the layers are kept 1-Lipschitz (deel-torchlip) and finalised at the end.
        rate: learning rate of Adam at the start; it falls to 0 on a cosine.
        batch_size: images in a step.
        shown: training images that the network sees at least, each as often as it comes: 60 epochs of ``digits``.
        fewest: epochs at least.
        seed: of initial weights, order of the images and attacks.
    """

    objective: Callable[..., Objective]
    settings: Mapping[str, float | int] = field(default_factory=lambda: MappingProxyType({}))
    constrained: bool = False
    rate: float = 3e-3
    batch_size: int = 64
    shown: int = 80_000
    fewest: int = 20
    seed: int = 0

    def __call__(
        self,
        name: str,
        dataset: str,
        *,
        out: Path,
        epochs: int | None = None,
        seed: int | None = None,
        device: str = "cpu",
        resume: bool = False,
    ) -> Path:
        """Trains the model ``name`` on ``dataset``; returns the weights file, beside which its card lies.

        An unfinished training leaves ``NAME@DATASET.checkpoint`` in ``out``. The same seed on the same machine, with
        as many threads, gives the same weights, interrupted or not.

        Args:
            name: a registered model, whose network is trained from scratch.
            dataset: a registered data set; its training split, and the test split for the card.
            out: folder to write to, made if it is missing.
            epochs: passes over the training split; None for a number that suits its size.
            seed: another one than the recipe's.
            device: as torch names it.
            resume: continue from the checkpoint, if there is one. Without, a checkpoint is an error.

        Raises:
            XaiboardError: an unknown name, a folder that cannot be written, a loss that is not finite, a checkpoint
                that is in the way, damaged or of another training, or deel-torchlip missing.
            KeyboardInterrupt: Ctrl-C; the checkpoint holds the last finished step.
        """
        entry = models[name]
        data, test = load_data(dataset, split="train"), load_data(dataset, split="test")
        epochs = max(self.fewest, self.shown // len(data)) if epochs is None else epochs
        seed = self.seed if seed is None else seed
        _check(epochs, out)
        checkpoint = Checkpoint(
            out / f"{file_stem(name, dataset)}.checkpoint",
            {
                "name": name,
                "dataset": dataset,
                "data": data.digest,
                "recipe": self.card,
                "epochs": epochs,
                "seed": seed,
                "device": torch.device(device).type,
                "version": versions(constrained=False).get("xaiboard"),
            },
        )
        start = _start(checkpoint, resume=resume)
        # Initial weights, and the dropout of a network of one's own, draw from torch's global generators.
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            plain = entry.build(data.shape, len(data.classes))
            network = constrain(plain) if self.constrained else plain
            seconds = fit(
                network.to(device),
                data,
                self.objective(**self.settings),
                epochs=epochs,
                rate=self.rate,
                batch_size=self.batch_size,
                generator=torch.Generator(device).manual_seed(seed),
                title=f"{name} on {dataset}",
                show_transport=self.constrained,
                checkpoint=checkpoint,
                start=start,
            )
        if self.constrained:
            network = finalise(network, plain, data.shape)
        if not all(value.isfinite().all() for value in network.state_dict().values()):
            raise XaiboardError(
                f"{name} on {dataset}: the trained weights are not finite; train with another seed, or with a recipe"
                f" whose learning rate is below {self.rate:g}"
            )
        run = Run(name, dataset, self.card, epochs, seed, data.digest, seconds, device)
        path = write(network, make_card(network.eval(), entry, test, run), out)
        checkpoint.remove()
        return path

    @property
    def card(self) -> dict[str, object]:
        """The recipe as the model's card states it: every setting, also those left at their defaults."""
        declared = inspect.signature(self.objective).parameters.values()
        return {
            "objective": self.objective.__name__,
            **{setting.name: setting.default for setting in declared if setting.default is not setting.empty},
            **self.settings,
            "optimiser": "adam",
            "rate": self.rate,
            "schedule": "cosine",
            "batch_size": self.batch_size,
            "constrained": self.constrained,
        }


def _start(checkpoint: Checkpoint, *, resume: bool) -> State | None:
    """What to continue from, which is said; None to start anew."""
    if not resume:
        checkpoint.require_none()
        return None
    state = checkpoint.read()
    found = f"continues after step {state.notes['step']}" if state else "there is none, training starts anew"
    tqdm.write(f"checkpoint '{checkpoint.path}': {found}", file=sys.stderr)
    return state


def _check(epochs: int, out: Path) -> None:
    if epochs < 1:
        raise XaiboardError(f"the number of epochs must be at least 1; got {epochs}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise XaiboardError(
            f"cannot write to '{out}': {error.strerror or error}; give another folder with --out"
        ) from None
