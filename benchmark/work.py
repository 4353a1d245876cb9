"""One model on some samples: every value that cells ask for, by name, computed once and kept."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from . import lipschitz
from .batching import Batcher
from .components import Choice, Weighted
from .data import Data, Reference
from .errors import SettingError, XaiboardError
from .passes import Passes
from .rng import SampleRng
from .zoo import TrainedModel

T = TypeVar("T")


@dataclass(frozen=True)
class Conditions:
    """What every cell of a run has in common.

    Args:
        seed: seed of every random number.
        target: the explained class: ``prediction`` or ``label``.
        dtype: ``float32`` or ``float64``.
        device: ``cpu``, ``cuda``, ``cuda:1``...
    """

    seed: int = 0
    target: str = "prediction"
    dtype: str = "float32"
    device: str = "cpu"


@dataclass
class Cost:
    """Seconds, and samples that went forward and backward."""

    seconds: float = 0.0
    forward: float = 0.0
    backward: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds, self.forward + other.forward, self.backward + other.backward
        )

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds - other.seconds, self.forward - other.forward, self.backward - other.backward
        )

    def __mul__(self, samples: int) -> Cost:
        return Cost(self.seconds * samples, self.forward * samples, self.backward * samples)


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    return sum(costs, start=Cost())


class Measured(NamedTuple):
    """What a computation cost.

    Args:
        own: without the kept values that it uses.
        used: keys of those values in ``Work.cost``; each is computed once, whoever uses it.
    """

    own: Cost
    used: frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Scores:
    """What a metric gave for ``N`` samples, by column; the plain score's name is empty.

    Args:
        score: float ``(N,)`` each.
        weight: ``(N,)`` each, for the columns whose mean is weighted.
        curve: ``(N, S)`` each.
    """

    score: Mapping[str, Tensor] = field(default_factory=dict)
    weight: Mapping[str, Tensor] = field(default_factory=dict)
    curve: Mapping[str, Tensor] = field(default_factory=dict)

    def __getitem__(self, rows: slice) -> Scores:
        """The scores of some of the samples."""
        kinds = self.score, self.weight, self.curve
        return Scores(*({name: values[rows] for name, values in kind.items()} for kind in kinds))


class Work:
    """Computes and keeps what the cells of one model need on ``data``.

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
        self.passes = passes or Passes()
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
        self.cost: dict[tuple[str, ...], Cost] = {}
        self._needs: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        self._used: set[tuple[str, ...]] = set()
        self._kept: dict[tuple[str, ...], Tensor | Exception] = {}

    def __len__(self) -> int:
        return len(self.x)

    def forget(self, method: Choice) -> None:
        """Frees what was kept for ``method``."""
        for key in [key for key in self._kept if method.label in key[1:]]:
            del self._kept[key]

    def measured(self, compute: Callable[[], T]) -> tuple[T, Measured]:
        """What ``compute`` returns, and what it cost."""
        before, start, self._used = set(self.cost), self._spent(), set()
        result = compute()
        now = total(cost for key, cost in self.cost.items() if key not in before)
        return result, Measured(self._spent() - start - now, frozenset(self._used))

    def _spent(self) -> Cost:
        return Cost(time.perf_counter(), self.passes.forward, self.passes.backward)

    @property
    def logits(self) -> Tensor:
        """Outputs for the unchanged samples, ``(N, K)``."""
        return self._once(("logits",), lambda: self._batched(self._forward))

    @property
    def target(self) -> Tensor:
        """The explained classes, ``(N,)``."""
        return self.label if self.conditions.target == "label" else self.logits.argmax(1)

    def attribution(self, method: Choice) -> Tensor:
        """Attributions of the unchanged samples, shaped like them."""
        key = ("attribution", method.label)
        return self._once(key, lambda: self._batched(lambda rows: self._explain(method, rows, self.x[rows])))

    def perturbed_x(self, perturbation: Choice, method: Choice) -> Tensor:
        """Perturbed samples; one and the same for all methods unless the perturbation looks at them."""
        key = ("perturbed_x", *_names_of_copy(perturbation, method))
        return self._once(key, lambda: self._batched(lambda rows: self._perturb(perturbation, method, rows)))

    def perturbed_attribution(self, perturbation: Choice, method: Choice) -> Tensor:
        """Attributions of the perturbed samples, for the same targets."""
        x = self.perturbed_x(perturbation, method)
        key = ("perturbed_attribution", perturbation.label, method.label)
        return self._once(key, lambda: self._batched(lambda rows: self._explain(method, rows, x[rows])))

    def perturbed_logits(self, perturbation: Choice, method: Choice) -> Tensor:
        """Outputs for the perturbed samples, ``(N, K)``."""
        x = self.perturbed_x(perturbation, method)
        key = ("perturbed_logits", *_names_of_copy(perturbation, method))
        return self._once(key, lambda: self._batched(lambda rows: self._outputs(x[rows])))

    def held(self, perturbation: Choice, method: Choice) -> Tensor:
        """Whether the prediction is the same on the perturbed sample, bool ``(N,)``."""
        return self.perturbed_logits(perturbation, method).argmax(1) == self.logits.argmax(1)

    def score(self, metric: Choice, method: Choice | None, perturbation: Choice | None) -> Scores:
        """Scores of all samples by one metric.

        Raises:
            XaiboardError: the metric, or the method, returned something else than it must.
        """
        shared = {name: self.shared(metric, name) for name in metric.component.shared}

        def batch(rows: slice) -> Scores:
            names = [name for name in metric.component.supplied if name not in shared]
            purpose = f"metric/{metric.component.name}"
            given = self._supply(names, rows, purpose, method, perturbation, other=metric.base)
            values = {name: value[rows] for name, value in shared.items()}
            returned = metric.component.function(**given, **values, **metric.settings)
            return read_scores(metric.component.name, returned, rows.stop - rows.start)

        if metric.component.whole:
            return batch(slice(0, len(self)))
        scores = _concatenate(list(self.batcher.map(batch, len(self))))
        if perturbation is not None and method is not None and metric.needs("perturbed_attribution"):
            held = self.held(perturbation, method).to(self.x.dtype)
            weight = {name: scores.weight.get(name, 1.0) * held for name in scores.score}
            return Scores(scores.score, weight, scores.curve)
        return scores

    def shared(self, metric: Choice, name: str) -> Tensor:
        """A shared value of a metric, for all samples."""
        value = metric.component.shared[name]
        settings = {key: metric.settings[key] for key in value.settings}
        origin = f"{value.function.__module__}.{value.function.__qualname__}"
        key = ("shared", origin, Choice(value, settings).settings_text)

        def batch(rows: slice) -> Tensor:
            return value.function(**self._supply(value.supplied, rows, f"shared value/{name}"), **settings)

        try:
            return self._once(key, lambda: self._batched(batch))
        except SettingError as error:  # the value may serve several metrics: this is the one that was chosen
            raise SettingError(str(error).replace(f"'{name}'", f"'{metric.component.name}'")) from error

    def _supply(
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
            audit = lipschitz.Audit(self.lipschitz[0, 0].item(), self.lipschitz[:, 1].max().item())
            if not audit.passes:
                raise XaiboardError(
                    f"no certificate for '{self.trained.name}': it does not pass the Lipschitz audit (upper bound"
                    f" {audit.upper:.6g}, largest slope {audit.lower:.6g})"
                )
            return lipschitz.certified_radius(self.model, self.logits, self.shape)

        return self._once(("certificate",), compute)

    @property
    def lipschitz(self) -> Tensor:
        """Certified upper bound and local constant at each sample, ``(N, 2)``."""

        def compute() -> Tensor:
            upper = lipschitz.upper_bound(self.model, self.shape)
            local = self._batched(lambda rows: lipschitz.local_lipschitz(self.model, self.x[rows]))
            return torch.stack([torch.full_like(local, upper), local], 1)

        return self._once(("lipschitz",), compute)

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
        given = self._supply(names, rows, f"method/{component.name}")
        given |= {name: value for name, value in own.items() if name in component.supplied}
        if method.base is not None:
            given["attribution"] = self._explain(method.base, rows, x, model=model, target=target)
        if "x" in component.supplied:
            given["x"] = x.detach().clone()
        with torch.enable_grad():
            returned = component(**given, **method.settings)
        if not isinstance(returned, Tensor) or returned.shape != x.shape or not returned.isfinite().all():
            raise XaiboardError(
                f"method '{component.name}' must return finite values shaped {tuple(x.shape)},"
                f" got {_describe(returned)}"
            )
        return returned.detach().to(x)

    def _perturb(self, perturbation: Choice, method: Choice, rows: slice) -> Tensor:
        component = perturbation.component
        names = [name for name in component.supplied if name != "other_model"]
        given = self._supply(names, rows, f"perturbation/{component.name}", method)
        if component.needs("other_model"):
            given["other_model"] = self.others.get(perturbation.other_model, self.model)
        returned = component(**given, **perturbation.settings)
        x = self.x[rows]
        if not isinstance(returned, Tensor) or returned.shape != x.shape or not returned.isfinite().all():
            raise XaiboardError(
                f"perturbation '{component.name}' must return finite values shaped {tuple(x.shape)},"
                f" got {_describe(returned)}"
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
                f"model '{self.trained.name}' must return finite logits shaped {wanted}, got {_describe(output)}"
            )
        return output

    def _batched(self, function: Callable[[slice], Tensor]) -> Tensor:
        return torch.cat(list(self.batcher.map(function, len(self))))

    def _once(self, key: tuple[str, ...], compute: Callable[[], Tensor]) -> Tensor:
        """The value kept under ``key``, else computed; an error is kept too and raised to every asker."""
        if key not in self._kept:
            outer, self._used = self._used, set()
            before, start = set(self.cost), self._spent()
            try:
                self._kept[key] = compute()
            except Exception as error:  # each cell that needs this value fails with it
                self._kept[key] = error
            inner = total(cost for name, cost in self.cost.items() if name not in before)
            self.cost[key] = self._spent() - start - inner
            self._needs[key], self._used = self._used, outer
        self._used |= {key, *self._needs[key]}
        value = self._kept[key]
        if isinstance(value, Exception):
            raise value
        return value


def _names_of_copy(perturbation: Choice, method: Choice) -> tuple[str, ...]:
    """What tells perturbed copies apart; those of a perturbation that does not look at the method serve all."""
    looks = {"attribution", "explain", "method"} & set(perturbation.component.supplied)
    return perturbation.label, *((method.label,) if looks else ())


def read_scores(name: str, returned: Any, n: int) -> Scores:  # noqa: ANN401 - anything a plug-in returns
    """A metric's return value as :class:`Scores` of ``n`` samples.

    Raises:
        XaiboardError: not one finite score a sample, or an unreadable column.
    """
    columns = returned if isinstance(returned, Mapping) else {"": returned}
    score, weight, curve = {}, {}, {}
    for column, value in columns.items():
        full = f"{name}.{column}" if column else name
        if isinstance(value, Weighted):
            _check(full, value.weight, (n,))
            weight[column] = value.weight.detach()
            value = value.score  # noqa: PLW2901 - the rest of a pair is a plain column
        if isinstance(value, Tensor) and value.ndim == 2 and len(value) == n:
            _check(full, value, tuple(value.shape))
            curve[column] = value.detach()
        else:
            _check(full, value, (n,))
            score[column] = (
                value.detach().to(torch.get_default_dtype())
                if not value.is_floating_point()
                else value.detach()
            )
    if not score:
        raise XaiboardError(f"metric '{name}' returned no score; return (B,) values or a mapping of them")
    return Scores(score, weight, curve)


def _check(name: str, value: Any, shape: tuple[int, ...]) -> None:  # noqa: ANN401 - anything a plug-in returns
    if not isinstance(value, Tensor) or value.shape != shape or not value.isfinite().all():
        raise XaiboardError(
            f"metric '{name}' must return finite scores shaped {shape}, got {_describe(value)}"
        )


def _describe(value: Any) -> str:  # noqa: ANN401 - anything a plug-in returns
    if not isinstance(value, Tensor):
        return type(value).__name__
    bad = int((~value.isfinite()).sum())
    return f"{tuple(value.shape)}" + (f" with {bad} values that are not finite" if bad else "")


def _concatenate(parts: list[Scores]) -> Scores:
    def join(kind: str) -> dict[str, Tensor]:
        return {
            name: torch.cat([getattr(part, kind)[name] for part in parts]) for name in getattr(parts[0], kind)
        }

    return Scores(join("score"), join("weight"), join("curve"))
