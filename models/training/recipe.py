"""Recipes: how a model is trained, from a data set to weights with their card."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType

import torch
from torch import nn
from tqdm import tqdm

from ...benchmark.components.kinds import Model
from ...benchmark.components.registry import models
from ...benchmark.errors import XaiboardError
from ...benchmark.subjects.datasets import load_data
from ...benchmark.toolkit.data import Data
from .card import Run, file_stem, make_card, versions, write
from .checkpoint import Checkpoint, State
from .finalise import constrain, finalise
from .fit import fit
from .objectives import Objective


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; called by ``xaiboard train``.

    Args:
        objective: function that makes the objective from ``settings``.
        settings: settings of the objective; those left out have their defaults.
        constrained: whether deel-torchlip keeps the layers 1-Lipschitz in training (:mod:`.finalise`).
        rate: learning rate of Adam at the start; it falls to 0 on a cosine.
        batch_size: images in a step.
        images_shown: how many images the network is shown in all epochs together, unless that takes fewer than
            ``min_epochs``; the default is 60 epochs of ``digits``.
        min_epochs: smallest number of epochs.
        seed: seed of initial weights, order of the images and attacks.
    """

    objective: Callable[..., Objective]
    settings: Mapping[str, float | int] = field(default_factory=lambda: MappingProxyType({}))
    constrained: bool = False
    rate: float = 3e-3
    batch_size: int = 64
    images_shown: int = 80_000
    min_epochs: int = 20
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
        """Trains the model ``name`` on ``dataset``; returns the path of its weights, beside which its card lies.

        An unfinished training leaves ``NAME@DATASET.checkpoint`` in ``out``. On one machine the same seed and number of
        threads give the same weights, whether the training is interrupted or not.

        Args:
            name: a registered model; its network is trained from scratch.
            dataset: a registered data set: the network is trained on its training split, the card describes the test
                split.
            out: folder to write to; it is made if it does not exist.
            epochs: passes over the training split; None for a number that suits its size.
            seed: seed of the training; None for the recipe's.
            device: name of a torch device.
            resume: whether to continue from the checkpoint, which must be there. Otherwise a checkpoint is an error.

        Raises:
            XaiboardError: an unknown name; a folder that cannot be written; a loss that is not finite; a checkpoint
                that is missing, in the way, damaged or of another training; or deel-torchlip is not installed.
            KeyboardInterrupt: Ctrl-C; the checkpoint holds the last finished step.
        """
        entry = models[name]
        data, test = load_data(dataset, split="train"), load_data(dataset, split="test")
        epochs = max(self.min_epochs, self.images_shown // len(data)) if epochs is None else epochs
        seed = self.seed if seed is None else seed
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
        _check(epochs, out)
        network, seconds = self._train(
            entry, data, f"{name} on {dataset}",
            epochs=epochs, seed=seed, device=device, checkpoint=checkpoint, start=start,
        )  # fmt: skip
        run = Run(name, dataset, self.card, epochs, seed, data.digest, seconds, device)
        path = write(network, make_card(network, entry, test, run), out)
        checkpoint.remove()
        return path

    def _train(
        self,
        entry: Model,
        data: Data,
        title: str,
        *,
        epochs: int,
        seed: int,
        device: str,
        checkpoint: Checkpoint,
        start: State | None,
    ) -> tuple[nn.Module, float]:
        """The trained network in eval mode, and the seconds that its training took."""
        # Initial weights, and dropout in a network of the user's, draw from torch's global generators.
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
                title=title,
                show_transport=self.constrained,
                checkpoint=checkpoint,
                start=start,
            )
        if self.constrained:
            network = finalise(network, plain, data.shape)
        if not all(value.isfinite().all() for value in network.state_dict().values()):
            raise XaiboardError(
                f"{title}: the trained weights are not finite; train with another seed, or with a recipe"
                f" whose learning rate is below {self.rate:g}"
            )
        return network.eval(), seconds

    @property
    def card(self) -> dict[str, object]:
        """The recipe as the model's card states it, with all settings, also those that have their defaults."""
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
    """The state to continue from, which is told on stderr; None to start from the beginning."""
    if not resume:
        checkpoint.require_none()
        return None
    state = checkpoint.read()
    if state is None:
        raise XaiboardError(
            f"there is no checkpoint '{checkpoint.path}' to continue from; start anew without --resume (resume=True)"
        )
    tqdm.write(f"checkpoint '{checkpoint.path}': continues after step {state.notes['step']}", file=sys.stderr)
    return state


def _check(epochs: int, out: Path) -> None:
    """Refuses a number of epochs below 1 and a folder that cannot be written, before time is spent."""
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
