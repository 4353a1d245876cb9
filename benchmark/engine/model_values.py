"""Values that depend on a model and some samples alone, not on a method: logits, targets, Lipschitz bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import torch
from torch import Tensor

from ..errors import XaiboardError
from ..lipschitz import bounds
from ..subjects.fixed_inputs import network_outputs, still_computes
from ..subjects.logits import is_dense
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data, Reference
from .batching import Batcher
from .conditions import Conditions
from .isolation import Guard
from .memo import Memo
from .passes import Passes
from .returned import require_finite


class ModelValues:
    """A model and some samples on the run's device, and what is computed from these two; each value once.

    Args:
        trained: the model.
        data: the samples.
        reference: statistics of the training split, or None.
        conditions: seed, target, dtype, device.
        batcher: splits the samples into batches that fit into memory; it is made to suit the model.
        passes: the running count of passes through the model (see :func:`~.passes.count_passes`).
        others: further models by name, for perturbations that ask for ``other_model``.
    """

    def __init__(
        self,
        trained: TrainedModel,
        data: Data,
        reference: Reference | None,
        conditions: Conditions,
        batcher: Batcher,
        passes: Passes | None = None,
        others: Mapping[str, TrainedModel] | None = None,
    ) -> None:
        dtype, device = getattr(torch, conditions.dtype), conditions.device
        self.conditions = conditions
        self.batcher = batcher
        batcher.suit(trained.image_bytes)
        self.memo = Memo(passes or Passes())
        self.trained = trained
        self.model = trained.module.to(device=device, dtype=dtype)
        self.trained_others = others or {}
        self.others = {
            name: other.module.to(device=device, dtype=dtype) for name, other in self.trained_others.items()
        }
        self.ids = data.ids
        self.shape = data.shape
        self.classes = len(data.classes)
        self.x = data.x.to(device=device, dtype=dtype)
        self.label = data.label.to(device)
        self.mask = None if data.mask is None else data.mask.to(device)
        self.reference = reference and Reference(reference.mean.to(self.x), reference.samples.to(self.x))
        self._broken = ""
        self.guard = Guard({"model": self.model, **self.others}, conditions.seed, self.exercise)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def logits(self) -> Tensor:
        """Outputs for the unchanged samples, ``(N, K)``.

        Raises:
            XaiboardError: the model returned something else than finite logits.
        """
        return self.memo.once(("logits",), lambda: self._batched(lambda rows: self._outputs(self.x[rows])))

    @property
    def target(self) -> Tensor:
        """The explained classes, ``(N,)``: predictions or labels, as the run's conditions say."""
        return self.label if self.conditions.target == "label" else self.logits.argmax(1)

    @property
    def lipschitz(self) -> Tensor:
        """Certified upper bound of the model's Lipschitz constant, and the local constant at each sample, ``(N, 2)``.

        Raises:
            XaiboardError: a layer has no known bound.
        """

        def compute() -> Tensor:
            upper = bounds.upper_bound(self.model, self.shape)
            local = self._batched(lambda rows: bounds.local_lipschitz(self.model, self.x[rows]))
            return torch.stack([torch.full_like(local, upper), local], 1)

        return self.memo.once(("lipschitz",), compute)

    @property
    def certificate(self) -> Tensor:
        """L2 radius around each sample within which the prediction provably does not change, ``(N,)``.

        Raises:
            XaiboardError: the model does not pass the Lipschitz audit.
        """

        def compute() -> Tensor:
            # `xaiboard audit` also searches for steep pairs of images by gradient ascent. That is left out here: it
            # costs as much for one sample as for all, so each shard, and the plan's probe, would pay for all of it.
            audit = bounds.Audit(self.lipschitz[0, 0].item(), self.lipschitz[:, 1].max().item())
            if not audit.passes:
                raise XaiboardError(
                    f"no certificate for '{self.trained.name}': it does not pass the Lipschitz audit (upper bound"
                    f" {audit.upper:.6g}, largest slope {audit.lower:.6g})"
                )
            return bounds.certified_radius(self.model, self.logits, self.shape)

        return self.memo.once(("certificate",), compute)

    @torch.no_grad()
    def _outputs(self, x: Tensor) -> Tensor:
        """The model's logits for ``x``, ``(B, K)``, checked."""
        owner, output = f"model '{self.trained.name}'", self.model(x)
        if is_dense(output) and not output.is_floating_point():
            raise XaiboardError(f"{owner} must return floating-point logits, got {output.dtype}")
        return require_finite(owner, "logits", output, (len(x), self.classes)).clone()

    def check_network(self, culprit: str = "") -> None:
        """Looks whether the network still computes what it did at the start, and notes it if it does not.

        Args:
            culprit: code of the user's that may have changed it; where there is none, one pass with two inputs tells
                whether it changes by itself.
        """
        before, inputs = self.trained.outputs, self.trained.inputs
        if before is None or inputs is None or self._broken:
            return
        with self.memo.uncounted():
            if not culprit:
                same = still_computes(self.model, inputs.to(self.x), before)
            else:
                now = network_outputs(self.model, inputs.to(self.x))
                same = now is not None and now.agrees_with(before)
        if not same:
            why = (
                f"{culprit} has changed something that it depends on and that cannot be put back; leave it out, or let"
                " it work on a copy"
                if culprit
                else "its logits must depend on its input alone, not on how often it was called or what else runs"
            )
            self._broken = (
                f"model '{self.trained.name}' no longer computes what it did when the run began: {why}"
            )

    def require_network(self) -> None:
        """Raises XaiboardError if :meth:`check_network` has found another network than at the start."""
        if self._broken:
            raise XaiboardError(self._broken)

    def exercise(self) -> None:
        """Sends a sample forward and backward through the networks, without counting the passes."""
        with self.memo.uncounted():
            for network in (self.model, *self.others.values()):
                with suppress(Exception), torch.enable_grad():  # whoever needs the network reports that
                    leaf = self.x[:1].clone().requires_grad_()
                    torch.autograd.grad(network(leaf.clone()).sum(), leaf)

    def _batched(self, function: Callable[[slice], Tensor]) -> Tensor:
        """``function(rows)`` of every batch, put together for all samples, ``(N, ...)``."""
        return torch.cat(list(self.batcher.map(function, len(self))))
