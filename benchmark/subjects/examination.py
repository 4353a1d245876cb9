"""The examination of a network before it is explained: once for each object, and again where it has changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ..errors import XaiboardError
from ..toolkit.networks import evaluating
from .findings import Examination, in_type_of, look_at, undisturbed
from .layout import laid_out, lay_out
from .logits import are_same, as_logits, logits_of, wrong_form
from .trained_models import TrainedModel


class _Kept(NamedTuple):
    """An examination, with the images and the logits by which the network is known again; none if it is refused."""

    found: Examination
    images: Tensor
    logits: Tensor | None


_KEPT: WeakKeyDictionary[nn.Module, dict[object, _Kept]] = WeakKeyDictionary()
"""Examinations of each network, by the shape and type of an image; they end with the network."""

_PASSED: WeakKeyDictionary[nn.Module, set[object]] = WeakKeyDictionary()
"""What else was checked on each network and found right."""


def examine(model: nn.Module, x: Tensor) -> Examination:
    """Examines a network on a few images; once for each object, as long as it computes what it did then.

    It is run in evaluation mode, and left as it was. Nothing is drawn from torch's global stream.

    Args:
        model: the network.
        x: images, ``(B, C, H, W)``; the first two are used.

    Raises:
        XaiboardError: the network has parameters without values.
    """
    x = in_type_of(model, x[:2].detach())
    known = _KEPT.setdefault(model, {})
    key = (x.shape[1:], x.dtype, x.device)
    with undisturbed(model, x), torch.no_grad():
        if key in known and not _is_as_then(model, known[key]):
            known.clear()
            _PASSED.pop(model, None)
        if key not in known:
            found = look_at(model, x)
            known[key] = _Kept(found, x, None if found.reason else logits_of(model, x))
    return known[key].found


def passed_checks(model: nn.Module) -> set[object]:
    """What was checked on a network and found right, to be added to; emptied when an examination finds it changed."""
    return _PASSED.setdefault(model, set())


def _is_as_then(model: nn.Module, kept: _Kept) -> bool:
    """Whether two passes give the logits of the examination: nothing was switched on, trained or spoilt since."""
    if kept.logits is None:
        return False
    try:
        passes = logits_of(model, kept.images), logits_of(model, kept.images.flip(0)).flip(0)
        return all(are_same(kept.logits, each) for each in passes)
    except Exception:  # whatever a network may raise: the examination says what it is
        return False


def examined(trained: TrainedModel, x: Tensor, labels: int = 0) -> TrainedModel:
    """A trained model with what its examination says: why it cannot be judged, or logits as the suite needs them.

    Args:
        trained: the model; if need be, its module gets a hook that brings its output into form. For large images its
            convolutions are laid out channels-last.
        x: images, ``(B, C, H, W)``.
        labels: number of classes among which the explained labels are; 0 where predictions are explained.
    """
    lay_out(trained.module, x)
    found = examine(trained.module, x)
    if found.adapted:
        trained.module.register_forward_hook(as_logits)
    if not found.reason and found.classes < labels:
        return replace(
            trained,
            refused=f"it has {found.classes} logits, and labels of {labels} classes are to be explained; explain what"
            " it predicts, as target=prediction does",
        )
    if not found.reason or found.seen:  # what is seen anyway costs its own cells, which say what came
        return replace(trained, image_bytes=found.image_bytes)
    return replace(trained, refused=_sentence(found.reason))


@contextmanager
def ready(model: nn.Module, x: Tensor) -> Iterator[Examination]:
    """Puts a network into evaluation mode, with logits as the suite needs them; it is left as it was.

    Yields:
        What its examination found.

    Raises:
        XaiboardError: it cannot be judged, or there is no image to judge it by.
    """
    if not len(x):
        raise XaiboardError(f"x has no images, and at least one is needed; got shape {tuple(x.shape)}")
    found = examine(model, x)
    if found.reason:
        raise XaiboardError(_sentence(found.reason))
    handle = model.register_forward_hook(as_logits) if found.adapted else None
    try:
        with evaluating(model), laid_out(model, x):
            with torch.no_grad():
                output = model(x[:1].clone())
            if reason := wrong_form(output, 1):
                raise XaiboardError(_sentence(reason))
            yield found
    finally:
        if handle is not None:
            handle.remove()


def _sentence(reason: str) -> str:
    return f"the model cannot be explained: {reason}"
