"""What each name of the vocabulary stands for, for one model on some samples: what components are called with."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from ..components.choice import Choice
from ..errors import SettingError, XaiboardError
from ..subjects.findings import has_gradient
from ..toolkit.data import Data
from ..toolkit.rng import SampleRng
from .class_maps import FIRST_ID, LOGITS, MAPS, of_same_class
from .model_values import ModelValues
from .returned import require_finite, says_no_gradient


class Values(ModelValues):
    """Everything that cells of one model ask for: beside the model's own values, those of methods and perturbations.

    Each value is computed once for all samples and kept in ``memo``. What components return is copied, since they may
    fill the same tensor again when they are called next. The arguments are those of :class:`ModelValues`.
    """

    def attribution(self, method: Choice) -> Tensor:
        """Attributions of the unchanged samples, shaped like them.

        Raises:
            XaiboardError: the method does not apply to the model, or returned something else than it must.
        """
        key = ("attribution", method.label)
        return self.memo.once(
            key, lambda: self._batched(lambda rows: self._explain(method, rows, self.x[rows]))
        )

    def has_attribution(self, method: Choice) -> bool:
        """Whether :meth:`attribution` costs nothing, since it was asked for before, or failed then."""
        return ("attribution", method.label) in self.memo

    def class_attributions(self, method: Choice, rows: slice) -> Tensor:
        """Maps of background images that are predicted as the classes of the samples ``rows``, ``(B, M, ...)``.

        All background images are explained, once for each method; see :func:`~.class_maps.of_same_class`.

        Raises:
            XaiboardError: there are no background images.
        """

        def maps() -> Tensor:
            found = self._background.attribution(method)
            self._background.memo.forget(method.label)  # they are kept here
            return found

        logits = self.memo.once((LOGITS,), lambda: self._background.logits)
        return of_same_class(self.memo.once((MAPS, method.label), maps), logits.argmax(1), self.target[rows])

    @cached_property
    def _background(self) -> Self:
        """The model on the background images, each explained for the class that is predicted."""
        if self.reference is None:
            raise XaiboardError(
                "maps of other images of the same class need the background images of a training split"
            )
        x = self.reference.samples
        label = self.label.new_zeros(len(x))
        names, ids = [str(name) for name in range(self.classes)], range(FIRST_ID, FIRST_ID + len(x))
        background = type(self)(
            self.trained,
            Data(x, label, names, ids=ids),
            self.reference,
            replace(self.conditions, target="prediction"),
            self.batcher,
            self.memo.passes,
            others=self.trained_others,
        )
        background.guard = self.guard
        return background

    def perturbed_x(self, perturbation: Choice, method: Choice) -> Tensor:
        """Perturbed samples, shaped like them. All methods share one copy unless the perturbation asks for the method.

        Raises:
            XaiboardError: the perturbation returned something else than it must.
        """
        key = ("perturbed_x", *_labels_behind_perturbed_x(perturbation, method))
        return self.memo.once(
            key, lambda: self._batched(lambda rows: self._perturb(perturbation, method, rows))
        )

    def perturbed_attribution(self, perturbation: Choice, method: Choice) -> Tensor:
        """Attributions of the perturbed samples, for the targets of the unchanged ones."""
        x = self.perturbed_x(perturbation, method)
        key = ("perturbed_attribution", perturbation.label, method.label)
        return self.memo.once(key, lambda: self._batched(lambda rows: self._explain(method, rows, x[rows])))

    def perturbed_logits(self, perturbation: Choice, method: Choice) -> Tensor:
        """Outputs for the perturbed samples, ``(N, K)``."""
        x = self.perturbed_x(perturbation, method)
        key = ("perturbed_logits", *_labels_behind_perturbed_x(perturbation, method))
        return self.memo.once(key, lambda: self._batched(lambda rows: self._outputs(x[rows])))

    def held(self, perturbation: Choice, method: Choice) -> Tensor:
        """Whether each sample keeps its prediction under the perturbation, bool ``(N,)``."""
        return self.perturbed_logits(perturbation, method).argmax(1) == self.logits.argmax(1)

    def shared(self, metric: Choice, name: str) -> Tensor:
        """A shared value of a metric (see ``shared`` of :func:`~xaiboard.benchmark.metric`), for all samples.

        Metrics that share the same function with the same settings share its value.
        """
        value = metric.component.shared[name]
        settings = {key: metric.settings[key] for key in value.settings}
        origin = f"{value.function.__module__}.{value.function.__qualname__}"
        key = ("shared", origin, Choice(value, settings).settings_text)

        def batch(rows: slice) -> Tensor:
            given = self.supply(value.supplied, rows, f"shared value/{name}")
            returned = self.guard.call("shared value", value, given, settings)
            return returned.clone() if isinstance(returned, Tensor) else returned

        try:
            return self.memo.once(key, lambda: self._batched(batch))
        except SettingError as error:
            # The message names the shared function, which the user never chose; name the metric that was chosen.
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
        """Values of some names of the vocabulary for the samples ``rows``.

        Tensors are copies: a component that changes its input in place changes nobody else's.

        Args:
            names: what the component asks for.
            rows: the samples of a batch.
            purpose: kind and name of the component; with seed and sample it determines the random numbers.
            method: the method whose attributions are meant.
            perturbation: the perturbation whose copies are meant.
            other: the method that ``other_attribution`` means.

        Raises:
            XaiboardError: a name needs a method or a perturbation, and none is given.
        """

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
            "class_attributions": lambda: self.class_attributions(chosen(method, "method"), rows),
            "other_attribution": lambda: self.attribution(chosen(other, "method"))[rows],
            "perturbed_x": lambda: self.perturbed_x(*pair())[rows],
            "perturbed_logits": lambda: self.perturbed_logits(*pair())[rows],
            "perturbed_attribution": lambda: self.perturbed_attribution(*pair())[rows],
        }
        values = {name: known[name]() for name in names}
        return {name: value.clone() if isinstance(value, Tensor) else value for name, value in values.items()}

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
        """Attributions of ``x`` by a method, for targets and with random numbers of the samples ``rows``.

        Metrics receive it as ``explain``, with method and samples filled in.

        Args:
            method: which method.
            rows: the samples whose targets and random numbers are used.
            x: the inputs to explain, ``(B, C, H, W)``: one for each of the samples, or a single one.
            model: another model to explain; None for the cell's own.
            target: other classes to explain, ``(B,)``; None for the samples' own.
            sample: for a single input: the position within ``rows`` of the sample that it stands for.
        """
        component = method.component
        if sample is not None:
            rows = slice(rows.start + sample, rows.start + sample + 1)
        replaced = {
            name: value
            for name, value in {"model": model, "target": target}.items()
            if value is not None and name in component.supplied
        }
        from_elsewhere = {"x", "attribution", *replaced}
        names = [name for name in component.supplied if name not in from_elsewhere]
        given = self.supply(names, rows, f"method/{component.name}") | replaced
        if method.base is not None:
            given["attribution"] = self._explain(method.base, rows, x, model=model, target=target)
        if "x" in component.supplied:
            given["x"] = x.detach().clone()
        with torch.enable_grad():
            try:
                returned = self.guard.call("method", component, given, method.settings)
            except RuntimeError as error:
                if says_no_gradient(error) and not has_gradient(self.model, self.x):
                    raise XaiboardError(
                        f"method '{component.name}' needs a gradient with respect to the images, and the model's logits"
                        " have none, as after quantised layers or detach(); use methods without gradients"
                    ) from error
                raise
        return _own_copy(require_finite(f"method '{component.name}'", "values", returned, x.shape), x)

    def _perturb(self, perturbation: Choice, method: Choice, rows: slice) -> Tensor:
        """Perturbed copies of the samples ``rows``, checked."""
        component = perturbation.component
        owner = f"perturbation '{component.name}'"
        names = [name for name in component.supplied if name != "other_model"]
        given = self.supply(names, rows, f"perturbation/{component.name}", method)
        if component.needs("other_model"):
            given["other_model"] = self.others.get(perturbation.other_model, self.model)
        x = self.x[rows]
        computed = self.guard.call("perturbation", component, given, perturbation.settings)
        returned = require_finite(owner, "values", computed, x.shape)
        if returned.min() < 0 or returned.max() > 1:
            raise XaiboardError(
                f"{owner} must stay in [0, 1], got values from {returned.min():.3g} to {returned.max():.3g}"
            )
        return _own_copy(returned, x)


def _own_copy(returned: Tensor, like: Tensor) -> Tensor:
    """What a component returned, in memory of its own, row by row: gradients may come in the layout of a network."""
    return returned.detach().to(like, copy=True, memory_format=torch.contiguous_format)


def _labels_behind_perturbed_x(perturbation: Choice, method: Choice) -> tuple[str, ...]:
    """Labels of what perturbed samples depend on: the perturbation, and the method if the perturbation asks for it.

    With one label alone the samples are computed once and serve every method.
    """
    asks_for_method = {"attribution", "explain", "method"} & set(perturbation.component.supplied)
    return perturbation.label, *((method.label,) if asks_for_method else ())
