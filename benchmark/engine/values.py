"""One model on some samples: what each name of the vocabulary stands for there."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..components.choice import Choice
from ..errors import SettingError, XaiboardError
from ..lipschitz import bounds
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data, Reference
from ..toolkit.rng import SampleRng
from .batching import Batcher
from .conditions import Conditions
from .memo import Memo
from .passes import Passes


class Values:
    """Everything that the cells of one model ask for on ``data``, by name; each value is computed once.

    Args:
        trained: the model.
        data: the samples.
        reference: statistics of the training split, or None.
        conditions: seed, target, dtype, device.
        batcher: batches and their back-off.
        passes: the running count of passes through the model (see :func:`~.passes.count_passes`).
        others: further models by name, for perturbations that ask for one.
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
        self.memo = Memo(passes or Passes())
        self.trained = trained
        self.model = trained.module.to(device=device, dtype=dtype)
        self.others = {
            name: other.module.to(device=device, dtype=dtype) for name, other in (others or {}).items()
        }
        self.ids = data.ids
        self.shape = data.shape
        self.classes = len(data.classes)
        self.x = data.x.to(device=device, dtype=dtype)
        self.label = data.label.to(device)
        self.mask = None if data.mask is None else data.mask.to(device)
        self.reference = reference and Reference(reference.mean.to(self.x), reference.samples.to(self.x))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def logits(self) -> Tensor:
        """Outputs for the unchanged samples, ``(N, K)``."""
        return self.memo.once(("logits",), lambda: self._batched(self._forward))

    @property
    def target(self) -> Tensor:
        """The explained classes, ``(N,)``."""
        return self.label if self.conditions.target == "label" else self.logits.argmax(1)

    def attribution(self, method: Choice) -> Tensor:
        """Attributions of the unchanged samples, shaped like them."""
        key = ("attribution", method.label)
        return self.memo.once(
            key, lambda: self._batched(lambda rows: self._explain(method, rows, self.x[rows]))
        )

    def perturbed_x(self, perturbation: Choice, method: Choice) -> Tensor:
        """Perturbed samples; one and the same for all methods unless the perturbation looks at them."""
        key = ("perturbed_x", *_names_of_copy(perturbation, method))
        return self.memo.once(
            key, lambda: self._batched(lambda rows: self._perturb(perturbation, method, rows))
        )

    def perturbed_attribution(self, perturbation: Choice, method: Choice) -> Tensor:
        """Attributions of the perturbed samples, for the same targets."""
        x = self.perturbed_x(perturbation, method)
        key = ("perturbed_attribution", perturbation.label, method.label)
        return self.memo.once(key, lambda: self._batched(lambda rows: self._explain(method, rows, x[rows])))

    def perturbed_logits(self, perturbation: Choice, method: Choice) -> Tensor:
        """Outputs for the perturbed samples, ``(N, K)``."""
        x = self.perturbed_x(perturbation, method)
        key = ("perturbed_logits", *_names_of_copy(perturbation, method))
        return self.memo.once(key, lambda: self._batched(lambda rows: self._outputs(x[rows])))

    def held(self, perturbation: Choice, method: Choice) -> Tensor:
        """Whether the prediction is the same on the perturbed sample, bool ``(N,)``."""
        return self.perturbed_logits(perturbation, method).argmax(1) == self.logits.argmax(1)

    def shared(self, metric: Choice, name: str) -> Tensor:
        """A shared value of a metric, for all samples."""
        value = metric.component.shared[name]
        settings = {key: metric.settings[key] for key in value.settings}
        origin = f"{value.function.__module__}.{value.function.__qualname__}"
        key = ("shared", origin, Choice(value, settings).settings_text)

        def batch(rows: slice) -> Tensor:
            return value.compute(self.supply(value.supplied, rows, f"shared value/{name}"), settings)

        try:
            return self.memo.once(key, lambda: self._batched(batch))
        except SettingError as error:  # the value may serve several metrics: this is the one that was chosen
            raise SettingError(str(error).replace(f"'{name}'", f"'{metric.component.name}'")) from error

    def supply(
        self,
        names: Sequence[str],
        rows: slice,
        purpose: str,
        method: Choice | None = None,
        perturbation: Choice | None = None,
        other: Choice | None = None,
    ) -> dict[str, Any]:
        """Values of names of the vocabulary for the samples ``rows``; tensors are copies."""

        def chosen(choice: Choice | None, kind: str) -> Choice:
            if choice is None:
                raise XaiboardError(f"'{purpose}' needs a {kind}, and none is selected")
            return choice

        def pair() -> tuple[Choice, Choice]:
            return chosen(perturbation, "perturbation"), chosen(method, "method")

        known: dict[str, Callable[[], Any]] = {
            "model": lambda: self.model,
            "rng": lambda: SampleRng(self.conditions.seed, self.ids[rows], purpose),
            "reference": lambda: copy.deepcopy(self.reference),
            "x": lambda: self.x[rows],
            "target": lambda: self.target[rows],
            "label": lambda: self.label[rows],
            "logits": lambda: self.logits[rows],
            "mask": lambda: None if self.mask is None else self.mask[rows],
            "certificate": lambda: self.certificate[rows],
            "lipschitz": lambda: self.lipschitz[rows],
            "attribution": lambda: self.attribution(chosen(method, "method"))[rows],
            "explain": lambda: partial(self._explain, chosen(method, "method"), rows),
            "method": lambda: chosen(method, "method").root.component.name,
            "other_attribution": lambda: self.attribution(chosen(other, "method"))[rows],
            "perturbed_x": lambda: self.perturbed_x(*pair())[rows],
            "perturbed_logits": lambda: self.perturbed_logits(*pair())[rows],
            "perturbed_attribution": lambda: self.perturbed_attribution(*pair())[rows],
        }
        values = {name: known[name]() for name in names}
        # what a component changes in place stays with it
        return {name: value.clone() if isinstance(value, Tensor) else value for name, value in values.items()}

    @property
    def certificate(self) -> Tensor:
        """L2 radius around each sample in which the prediction provably stays, ``(N,)``.

        Raises:
            XaiboardError: the model does not pass the Lipschitz audit.
        """

        def compute() -> Tensor:
            # The ascent over pairs of `xaiboard audit` is left out: it costs as much for one sample as for all.
            audit = bounds.Audit(self.lipschitz[0, 0].item(), self.lipschitz[:, 1].max().item())
            if not audit.passes:
                raise XaiboardError(
                    f"no certificate for '{self.trained.name}': it does not pass the Lipschitz audit (upper bound"
                    f" {audit.upper:.6g}, largest slope {audit.lower:.6g})"
                )
            return bounds.certified_radius(self.model, self.logits, self.shape)

        return self.memo.once(("certificate",), compute)

    @property
    def lipschitz(self) -> Tensor:
        """Certified upper bound and local constant at each sample, ``(N, 2)``."""

        def compute() -> Tensor:
            upper = bounds.upper_bound(self.model, self.shape)
            local = self._batched(lambda rows: bounds.local_lipschitz(self.model, self.x[rows]))
            return torch.stack([torch.full_like(local, upper), local], 1)

        return self.memo.once(("lipschitz",), compute)

    def _explain(
        self,
        method: Choice,
        rows: slice,
        x: Tensor,
        *,
        model: nn.Module | None = None,
        target: Tensor | None = None,
        sample: int | None = None,
    ) -> Tensor:
        """Explains inputs in place of the samples ``rows``, or one input in place of the ``sample``-th of them."""
        component = method.component
        if sample is not None:
            rows = slice(rows.start + sample, rows.start + sample + 1)
        replaced = {"model": model, "target": target}
        own = {name: value for name, value in replaced.items() if value is not None}
        names = [name for name in component.supplied if name not in ("x", "attribution", *own)]
        given = self.supply(names, rows, f"method/{component.name}")
        given |= {name: value for name, value in own.items() if name in component.supplied}
        if method.base is not None:
            given["attribution"] = self._explain(method.base, rows, x, model=model, target=target)
        if "x" in component.supplied:
            given["x"] = x.detach().clone()
        with torch.enable_grad():
            returned = component.compute(given, method.settings)
        if not isinstance(returned, Tensor) or returned.shape != x.shape or not returned.isfinite().all():
            raise XaiboardError(
                f"method '{component.name}' must return finite values shaped {tuple(x.shape)},"
                f" got {describe_value(returned)}"
            )
        return returned.detach().to(x)

    def _perturb(self, perturbation: Choice, method: Choice, rows: slice) -> Tensor:
        component = perturbation.component
        names = [name for name in component.supplied if name != "other_model"]
        given = self.supply(names, rows, f"perturbation/{component.name}", method)
        if component.needs("other_model"):
            given["other_model"] = self.others.get(perturbation.other_model, self.model)
        returned = component.compute(given, perturbation.settings)
        x = self.x[rows]
        if not isinstance(returned, Tensor) or returned.shape != x.shape or not returned.isfinite().all():
            raise XaiboardError(
                f"perturbation '{component.name}' must return finite values shaped {tuple(x.shape)},"
                f" got {describe_value(returned)}"
            )
        if returned.min() < 0 or returned.max() > 1:
            raise XaiboardError(
                f"perturbation '{component.name}' must stay in [0, 1], got values from {returned.min():.3g}"
                f" to {returned.max():.3g}"
            )
        return returned.detach().to(x)

    def _forward(self, rows: slice) -> Tensor:
        return self._outputs(self.x[rows])

    @torch.no_grad()
    def _outputs(self, x: Tensor) -> Tensor:
        output = self.model(x)
        wanted = (len(x), self.classes)
        if not isinstance(output, Tensor) or output.shape != wanted or not output.isfinite().all():
            raise XaiboardError(
                f"model '{self.trained.name}' must return finite logits shaped {wanted}, got {describe_value(output)}"
            )
        return output

    def _batched(self, function: Callable[[slice], Tensor]) -> Tensor:
        return torch.cat(list(self.batcher.map(function, len(self))))


def _names_of_copy(perturbation: Choice, method: Choice) -> tuple[str, ...]:
    """What tells perturbed copies apart; those of a perturbation that does not look at the method serve all."""
    looks = {"attribution", "explain", "method"} & set(perturbation.component.supplied)
    return perturbation.label, *((method.label,) if looks else ())


def describe_value(value: Any) -> str:  # noqa: ANN401 - anything a plug-in returns
    """The shape of a tensor and what is wrong in it, or the type of what is none: for the user's sentence."""
    if not isinstance(value, Tensor):
        return type(value).__name__
    bad = int((~value.isfinite()).sum())
    return f"{tuple(value.shape)}" + (f" with {bad} values that are not finite" if bad else "")
