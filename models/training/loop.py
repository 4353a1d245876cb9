"""A training as a sequence of steps. Its state between two steps can be saved, and restored later."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.data import Data
from .checkpoint import State
from .objectives import Objective


class Loop:
    """Training with Adam, whose learning rate falls to 0 on a cosine. An epoch shows each image once, in random order.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``; trained in place.
        data: the training split.
        objective: what is minimised, see :mod:`xaiboard.models.training.objectives`.
        epochs: passes over the data.
        generator: source of the order of the images and of the objective's random numbers, on the model's device.
        rate: learning rate at the start.
        batch_size: images in a step.

    Attributes:
        step: number of steps that are done.
        steps: number of steps of the whole training.
        batches: number of steps in an epoch.
        seconds: how long the steps took that are done.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        objective: Objective,
        *,
        epochs: int,
        generator: torch.Generator,
        rate: float,
        batch_size: int,
    ) -> None:
        self.model, self.objective, self.generator = model.train(), objective, generator
        self.x, self.label = data.x.to(generator.device), data.label.to(generator.device)
        self.batch_size = batch_size
        self.batches = ceil(len(data) / batch_size)
        self.step, self.steps, self.seconds = 0, epochs * self.batches, 0.0
        self.order = torch.empty(0, dtype=torch.int64, device=generator.device)
        self.sums = torch.zeros(5, dtype=torch.float64)
        self.optimiser = torch.optim.Adam(model.parameters(), lr=rate)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, self.steps)
        if isinstance(objective, nn.Module):
            objective.to(generator.device).train()

    @property
    def epoch(self) -> int:
        """Number of the epoch to which the next step belongs, counted from 1."""
        return self.step // self.batches + 1

    def advance(self) -> None:
        """Makes a step.

        Raises:
            FloatingPointError: the loss or its gradient is not finite; the parameters are not changed.
        """
        begun = time.perf_counter()
        batch = self.step % self.batches
        if batch == 0:
            self.order = torch.randperm(len(self.x), generator=self.generator, device=self.x.device)
            self.sums.zero_()
        rows = self.order[batch * self.batch_size :][: self.batch_size]
        loss, logits = self.objective(self.model, self.x[rows], self.label[rows], self.generator)
        if not loss.isfinite():
            raise FloatingPointError(f"the loss is {float(loss.detach())}")
        self.optimiser.zero_grad()
        loss.backward()
        if not _finite(value.grad for value in self.model.parameters()):
            raise FloatingPointError("the gradient is not finite")
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        self.sums += _batch_sums(loss.detach(), logits.detach(), self.label[rows])
        self.seconds += time.perf_counter() - begun

    def means(self) -> dict[str, float]:
        """Means over the epoch so far: ``loss``, ``accuracy``, ``margin``, ``kr`` (see :func:`_batch_sums`)."""
        loss, accuracy, margin, transport = (self.sums[1:] / self.sums[0]).tolist()
        return {"loss": loss, "accuracy": accuracy, "margin": margin, "kr": transport}

    def state(self) -> State:
        """Everything that determines the steps to come.

        Raises:
            FloatingPointError: a parameter or buffer is not finite.
        """
        if not _finite(self.model.state_dict().values()):
            raise FloatingPointError("the parameters are not finite")
        adam = self.optimiser.state_dict()
        moments = {
            f"{index}.{name}": value
            for index, of_parameter in adam["state"].items()
            for name, value in of_parameter.items()
        }
        tensors = {
            **_prefix("model", self.model.state_dict()),
            **_prefix("objective", self._objective_state()),
            **_prefix("adam", moments),
            **_prefix("random", {"generator": self.generator.get_state(), **_global_state(self.x.device)}),
            "order": self.order,
            "sums": self.sums,
        }
        notes = {
            "step": self.step,
            "seconds": self.seconds,
            "groups": adam["param_groups"],
            "schedule": self.schedule.state_dict(),
        }
        return State(tensors, notes)

    def restore(self, state: State) -> None:
        """Continues from the state of a loop with the same arguments.

        Raises:
            XaiboardError: the state does not fit.
        """
        tensors, notes = state.tensors, state.notes
        try:
            self.model.load_state_dict(_under("model", tensors))
            if isinstance(self.objective, nn.Module):
                self.objective.load_state_dict(_under("objective", tensors))
            moments: dict[int, dict[str, Tensor]] = {}
            for name, value in _under("adam", tensors).items():
                index, _, key = name.partition(".")
                moments.setdefault(int(index), {})[key] = value
            self.optimiser.load_state_dict({"state": moments, "param_groups": notes["groups"]})
            self.schedule.load_state_dict(dict(notes["schedule"]))
            random = _under("random", tensors)
            self.generator.set_state(random["generator"])
            torch.set_rng_state(random["cpu"])
            if "cuda" in random:
                torch.cuda.set_rng_state(random["cuda"], self.x.device)
            self.order, self.sums = tensors["order"].to(self.x.device), tensors["sums"]
            self.step, self.seconds = notes["step"], notes["seconds"]
        except (RuntimeError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise XaiboardError(
                f"the checkpoint does not fit the model and its objective ({reason}); delete it to start anew"
            ) from None

    def _objective_state(self) -> dict[str, Any]:
        return self.objective.state_dict() if isinstance(self.objective, nn.Module) else {}


@torch.no_grad()
def _batch_sums(loss: Tensor, logits: Tensor, label: Tensor) -> Tensor:
    """What a batch adds to the sums of its epoch, ``(5,)``: its number of images, and that number times four means.

    They are the loss, the accuracy, the margin and the Kantorovich-Rubinstein term. The margin is the logit of the true
    class minus the largest other one. The Kantorovich-Rubinstein term is the mean over classes of: mean logit of the
    class on its own images, minus its mean logit on all others. If the network is 1-Lipschitz, the term of a class is a
    lower bound of the Wasserstein-1 distance between its images and the others.
    """
    own = one_hot(label, logits.shape[1]).bool()
    margin = (logits * own).sum(1) - logits.masked_fill(own, -torch.inf).amax(1)
    inside = (logits * own).sum(0) / own.sum(0)
    outside = (logits * ~own).sum(0) / (~own).sum(0)
    # A class with no image in the batch, or with all of them, has no such difference (NaN) and is left out.
    transport = (inside - outside).nanmean().nan_to_num()
    means = torch.stack((torch.ones_like(loss), loss, (margin > 0).to(loss).mean(), margin.mean(), transport))
    return len(label) * means.double().cpu()


def _finite(values: Iterable[Tensor | None]) -> bool:
    # A sum is finite only if all terms are. This takes a fifth of the time that testing each value does.
    sums = [value.sum() for value in values if value is not None and value.is_floating_point()]
    return not sums or bool(torch.stack(sums).isfinite().all())


def _global_state(device: torch.device) -> dict[str, Tensor]:
    """States of torch's global generators, from which dropout draws."""
    cuda = {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {}
    return {"cpu": torch.get_rng_state(), **cuda}


def _prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names :func:`_prefix` has given this prefix, under their own names."""
    return {
        name.removeprefix(f"{prefix}."): value
        for name, value in tensors.items()
        if name.startswith(f"{prefix}.")
    }
