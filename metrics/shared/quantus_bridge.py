"""Calls a Quantus metric on one sample at a time, and restores what it changes."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from io import StringIO
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.rng import SampleRng

Explain = Callable[..., Tensor]


def one_by_one(
    make: Callable[[], Any],
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    explain: Explain,
    rng: SampleRng,
    mask: Tensor | None = None,
    read: Callable[[Any], float] | None = None,
) -> Tensor:
    """Scores by a Quantus metric, ``(B,)``, with the conventions of :func:`~xaiboard.metrics.quantus_adapter.quantus`.

    Args:
        make: makes the metric; called for each sample.
        model: images to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: shaped like ``x``.
        explain: the attribution of an input ``(1, ...)`` that takes the place of the ``sample``-th one of the batch.
        rng: random numbers of each sample, which seed the metric.
        mask: bool ``(B, 1, H, W)``, or None.
        read: turns what the metric returns for one sample into a number; by default it must be a single number.
    """
    network = model if x.dtype is torch.float32 else _InFloat32(model, x.dtype).eval()
    pooled = mask is not None and x.dim() > 2
    maps = attribution.sum(1, keepdim=True) if pooled else attribution
    seeds = rng.uniform(x.flatten(1)[:, :1].double())[:, 0] * 2**32
    scores = []
    for row, seed in enumerate(seeds.long().tolist()):
        part = slice(row, row + 1)
        with _undisturbed(seed, x.device):
            used = make()
            found = used(
                model=network,
                x_batch=_array(x[part]),
                y_batch=_array(target[part]),
                a_batch=_array(maps[part]),
                s_batch=None if mask is None else _array(mask[part]),
                explain_func=_explainer(explain, x, target, row, pooled=pooled),
                channel_first=True,
                device=str(x.device),
            )
        scores.append(read(found) if read else _one_number(found, type(used).__name__))
    return torch.tensor(scores, dtype=torch.float64).to(x)


class _InFloat32(nn.Module):
    """Lets Quantus, which calls networks with float32, call a network of another type."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x.to(self.dtype))


def _explainer(
    explain: Explain, x: Tensor, target: Tensor, row: int, *, pooled: bool
) -> Callable[..., np.ndarray]:
    """``explain`` in the form in which Quantus calls it, with the random numbers of the sample ``row``."""

    def explain_func(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **_: object) -> np.ndarray:
        network = model.network if isinstance(model, _InFloat32) else model
        given = torch.as_tensor(inputs).to(x).view(-1, *x.shape[1:])
        classes = torch.as_tensor(targets).to(target).flatten().expand(len(given))
        maps = torch.cat(
            [
                explain(one[None], model=network, target=chosen[None], sample=row)
                for one, chosen in zip(given, classes, strict=True)
            ]
        )
        return _array(maps.sum(1, keepdim=True) if pooled else maps)

    return explain_func


@contextmanager
def _undisturbed(seed: int, device: torch.device) -> Iterator[None]:
    """Seeds and restores the global random numbers, mutes Quantus, and lets it accept constant maps."""
    asserts: Any = import_module("quantus.helpers.asserts")
    refuse, of_python, of_numpy = asserts.assert_attributions, random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with (
            torch.random.fork_rng([device] if device.type == "cuda" else []),
            redirect_stdout(StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            asserts.assert_attributions = lambda **_: None
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            torch.manual_seed(seed)
            yield
    finally:
        asserts.assert_attributions = refuse
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002


def _one_number(found: Any, name: str) -> float:  # noqa: ANN401 - whatever Quantus returns
    """The single number that a metric returned for one sample.

    Raises:
        XaiboardError: it returned several numbers, or none.
    """
    value = np.asarray([] if isinstance(found, dict) else found)
    if value.size != 1 or value.dtype.kind not in "bif":
        raise XaiboardError(
            f"Quantus' {name} returns {type(found).__name__} of shape {value.shape} for a sample, expected one number;"
            " register a metric of your own that reads it (see xaiboard.metrics.shared.quantus_bridge.one_by_one)"
        )
    return float(value.reshape(()))


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy().copy()
