"""The training loop, and recipes: an objective with its settings, run from a data set to shipped weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..benchmark.data import Data, load_data
from ..benchmark.errors import XaiboardError
from ..benchmark.registry import models
from .card import Run, make_card, write
from .finalise import constrain, finalise
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
    ) -> Path:
        """Trains the model ``name`` on ``dataset``; returns the weights file, beside which its card lies.

        Args:
            name: a registered model, whose network is trained from scratch.
            dataset: a registered data set; its training split, and the test split for the card.
            out: folder to write to, made if it is missing.
            epochs: passes over the training split; None for a number that suits its size.
            seed: another one than the recipe's. The same seed on the same machine, with as many threads, gives the
                same weights.
            device: as torch names it.

        Raises:
            XaiboardError: an unknown name, a folder that cannot be made, a loss that is not finite, or
                deel-torchlip missing.
        """
        data = load_data(dataset, split="train")
        epochs = max(self.fewest, self.shown // len(data)) if epochs is None else epochs
        seed = self.seed if seed is None else seed
        _check(epochs, out)
        started = time.perf_counter()
        with torch.random.fork_rng():
            torch.manual_seed(seed)  # initial weights know no generator
            plain = models[name].build(data.shape, len(data.classes))
            network = constrain(plain) if self.constrained else plain
            objective = self.objective(**self.settings)
        fit(
            network.to(device),
            data,
            objective,
            epochs=epochs,
            rate=self.rate,
            batch_size=self.batch_size,
            generator=torch.Generator(device).manual_seed(seed),
            title=f"{name} on {dataset}",
        )
        if self.constrained:
            network = finalise(network, plain, data.shape)
        seconds = time.perf_counter() - started
        run = Run(name, dataset, self.card, epochs, seed, data.digest, seconds, device)
        test = load_data(dataset, split="test")
        return write(network, make_card(network.eval(), models[name], test, run), out)

    @property
    def card(self) -> dict[str, object]:
        """The recipe as the model's card states it."""
        return {
            "objective": self.objective.__name__,
            **self.settings,
            "optimiser": "adam",
            "rate": self.rate,
            "schedule": "cosine",
            "batch_size": self.batch_size,
            "constrained": self.constrained,
        }


def fit(
    model: nn.Module,
    data: Data,
    objective: Objective,
    *,
    epochs: int,
    generator: torch.Generator,
    rate: float = 3e-3,
    batch_size: int = 64,
    title: str = "training",
) -> None:
    """Minimises ``objective`` over ``data`` with Adam and a cosine schedule; shows a progress bar.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``; trained in place.
        data: the training split.
        objective: as in :mod:`xaiboard.models.objectives`.
        epochs: passes over the data.
        generator: of the order of the images and of the objective, on the model's device.
        rate: learning rate at the start.
        batch_size: images in a step.
        title: what the progress bar calls it.

    Raises:
        XaiboardError: the loss is not finite.
    """
    x, label = data.x.to(generator.device), data.label.to(generator.device)
    order = torch.arange(len(x), device=generator.device)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    steps = epochs * len(order.split(batch_size))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    model.train()
    if isinstance(objective, nn.Module):
        objective.to(generator.device).train()
    with tqdm(total=steps, desc=title, unit="step", disable=None) as bar:
        for epoch in range(1, epochs + 1):
            seen = torch.zeros(4, dtype=torch.float64)
            order = torch.randperm(len(x), generator=generator, device=generator.device)
            for rows in order.split(batch_size):
                loss, logits = objective(model, x[rows], label[rows], generator)
                if not torch.isfinite(loss):
                    raise XaiboardError(
                        f"{title}: the loss is {float(loss.detach())} at step {bar.n + 1} (epoch {epoch});"
                        f" train with another seed, or with a recipe whose learning rate is below {rate:g}"
                    )
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                seen += _progress(loss.detach(), logits.detach(), label[rows])
                _show(bar, f"{epoch}/{epochs}", (seen[1:] / seen[0]).tolist())


@torch.no_grad()
def _progress(loss: Tensor, logits: Tensor, label: Tensor) -> Tensor:
    """Number of images, and sums over them: loss, correct, margin of the true class over the best other one."""
    own = logits.gather(1, label[:, None])[:, 0]
    margin = own - logits.scatter(1, label[:, None], -torch.inf).amax(1)
    sums = torch.stack((loss * len(label), (margin > 0).sum(), margin.sum()))
    return torch.cat((torch.tensor([len(label)]), sums.cpu())).double()


def _show(bar: tqdm, epoch: str, means: list[float]) -> None:
    loss, accuracy, margin = means
    bar.set_postfix(
        epoch=epoch, loss=f"{loss:.4f}", accuracy=f"{accuracy:.4f}", margin=f"{margin:.3f}", refresh=False
    )
    bar.update()


def _check(epochs: int, out: Path) -> None:
    if epochs < 1:
        raise XaiboardError(f"the number of epochs must be at least 1; got {epochs}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise XaiboardError(f"folder '{out}' cannot be made ({error}); give another one") from None
