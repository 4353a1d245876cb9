"""Accuracy under AutoAttack, the standard ensemble of attacks, from an optional library."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.func import functional_call

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.rng import SampleRng

TARGETS = 9
"""Number of target classes of the targeted attacks; fewer if there are fewer other classes."""


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    range=(0, 1),
    source="Croce & Hein 2020, arXiv:2003.01690",
    library="pyautoattack",
)
def autoattack(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    logits: Tensor,
    rng: SampleRng,
    *,
    norm: Literal["l2", "linf"] = "l2",
    epsilon: Annotated[float, Ge(1e-9)] = 0.5,
) -> Tensor:
    """1 where the prediction is right and standard AutoAttack does not change it, else 0, ``(B,)``.

    Four attacks run in turn, each on the images that the earlier ones left: APGD on the cross-entropy, targeted APGD,
    targeted FAB, and Square. With fewer than ten classes, all other classes are targets. With fewer than four classes
    the loss of targeted APGD is undefined, and this attack is left out. The library draws random numbers for a whole
    batch, so images are attacked one by one. It computes in float32.

    Args:
        model: images to logits ``(B, K)``.
        x: images in ``[0, 1]``, ``(B, C, H, W)``.
        label: true classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        rng: random numbers of each sample, which seed the attacks.
        norm: norm of the ball around the image.
        epsilon: radius of the ball, in units of ``x``.
    """
    seed = (rng.uniform(label[:, None].double())[:, 0] * 2**31).long().tolist()
    robust = logits.argmax(1) == label
    predict = _frozen(model, x.dtype)
    for row in robust.nonzero()[:, 0].tolist():
        image = x[row : row + 1].float()
        attacked = _attack(predict, image, label[row : row + 1], norm, epsilon, logits.shape[1], seed[row])
        with torch.no_grad():
            robust[row] = bool((predict(attacked).argmax(1) == label[row]).all())
    return robust.to(logits)


def _attack(
    predict: Callable[[Tensor], Tensor],
    image: Tensor,
    label: Tensor,
    norm: str,
    epsilon: float,
    classes: int,
    seed: int,
) -> Tensor:
    """The attacked image; the image itself if no attack succeeded."""
    library = import_module("pyautoattack")
    attacks = ["apgd-ce", "apgd-t", "fab-t", "square"] if classes > 3 else ["apgd-ce", "fab-t", "square"]
    with _undisturbed(image.device):
        attack = library.AutoAttack(
            predict,
            attacks=attacks,
            version="custom",
            norm={"l2": "L2", "linf": "Linf"}[norm],
            eps=epsilon,
            seed=seed,
            device=image.device,
        )
        attack.apgd.n_restarts = attack.fab.n_restarts = attack.apgd_targeted.n_restarts = 1
        attack.apgd_targeted.n_target_classes = attack.fab.n_target_classes = min(TARGETS, classes - 1)
        return attack.run_standard_evaluation(image, label, batch_size=1)[0].detach()


def _frozen(model: nn.Module, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The model as a function of float32 images, whose backward passes leave nothing in its parameters."""
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    return lambda image: functional_call(model, parameters, (image.to(dtype),)).float()


@contextmanager
def _undisturbed(device: torch.device) -> Iterator[None]:
    """Mutes the library's log, and restores what it changes: torch's random numbers and the tracing function."""
    log, trace = logging.getLogger("auto-attack"), sys.gettrace()
    muted = log.disabled
    log.disabled = True
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        log.disabled = muted
        sys.settrace(trace)
