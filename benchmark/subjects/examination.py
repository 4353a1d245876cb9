"""The examination of a network before it is explained: a few passes, which say whether it can be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ..errors import XaiboardError, message
from ..toolkit.executed import first_tensor, follow, opaque_part
from ..toolkit.networks import evaluating, require_values
from .trained_models import TrainedModel


class Executed(NamedTuple):
    """A layer that was executed.

    Args:
        name: its dotted name.
        kind: its type.
        shape: of its output, with the batch; empty if that is no tensor.
    """

    name: str
    kind: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Examination:
    """What a few passes say of a network.

    Args:
        reason: why it cannot be judged; empty if it can.
        seen: whether the reason shows when the model is run: it raises, or returns no finite logits.
        classes: number of its logits.
        layers: its layers in the order of execution, without those that only contain others.
        opaque: which part of it no hook can follow, in words; empty if there is none.
        gradient: whether its logits have a gradient with respect to the images.
        adapted: whether its output has to be taken from a structure, or brought to the type of its input.
    """

    reason: str = ""
    seen: bool = False
    classes: int = 0
    layers: Sequence[Executed] = ()
    opaque: str = ""
    gradient: bool = True
    adapted: bool = False


ONE_OUTPUT = (
    "it has one output, and two classes are needed; return torch.cat([0 * z, z], 1) for its output z, whose softmax is"
    " the sigmoid of z"
)

_KEPT: WeakKeyDictionary[nn.Module, dict[object, Examination]] = WeakKeyDictionary()
"""Examinations of each network, by the shape and type of an image; they end with the network."""


def examine(model: nn.Module, x: Tensor) -> Examination:
    """Examines a network on one or two images; once for each object, until nothing is wrong with it.

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
    if key not in known or known[key].reason:
        devices = [x.device] if x.device.type == "cuda" else []
        with torch.random.fork_rng(devices), evaluating(model):
            known[key] = _examine(model, x)
    return known[key]


def in_type_of(model: nn.Module, x: Tensor) -> Tensor:
    """The images in the type and on the device of most of the network's weights, if it has any.

    Raises:
        XaiboardError: the network has parameters without values.
    """
    require_values(model)
    sizes: Counter[tuple[torch.dtype, torch.device]] = Counter()
    for each in model.parameters():
        if each.is_floating_point():
            sizes[each.dtype, each.device] += each.numel()
    if not sizes:
        return x
    (dtype, device), _ = sizes.most_common(1)[0]
    return x.to(device, dtype)


def examined(trained: TrainedModel, x: Tensor) -> TrainedModel:
    """A trained model with what its examination says: why it cannot be judged, or logits as the suite needs them.

    Args:
        trained: the model; if need be, its module gets a hook that brings its output into form.
        x: images, ``(B, C, H, W)``.
    """
    found = examine(trained.module, x)
    if found.adapted:
        trained.module.register_forward_hook(_logits)
    if not found.reason or found.seen:  # what is seen anyway costs its own cells, which say what came
        return trained
    return replace(trained, refused=_sentence(found.reason))


@contextmanager
def ready(model: nn.Module, x: Tensor) -> Iterator[int]:
    """Puts a network into evaluation mode, with logits as the suite needs them; it is left as it was.

    The examination is that of the object, which may have changed since; the form of its output is looked at again.

    Yields:
        The number of its logits.

    Raises:
        XaiboardError: it cannot be judged, or there is no image to judge it by.
    """
    if not len(x):
        raise XaiboardError(f"x has no images, and at least one is needed; got shape {tuple(x.shape)}")
    found = examine(model, x)
    if found.reason:
        raise XaiboardError(_sentence(found.reason))
    handle = model.register_forward_hook(_logits) if found.adapted else None
    try:
        with evaluating(model):
            with torch.no_grad():
                output = model(x[:1].clone())
            if reason := _wrong_form(output, 1):
                raise XaiboardError(_sentence(reason))
            yield output.shape[1]
    finally:
        if handle is not None:
            handle.remove()


@torch.no_grad()
def _examine(model: nn.Module, x: Tensor) -> Examination:
    x = x if len(x) > 1 else torch.cat([x, x.flip(-1)])
    layers: list[Executed] = []
    names = {module: name for name, module in model.named_modules()}

    def executed(layer: nn.Module, output: object) -> None:
        if not any(layer.children()):
            found = first_tensor(output)
            shape = () if found is None else tuple(found.shape)
            layers.append(Executed(names[layer], type(layer).__name__, shape))

    given, state, opaque = x.clone(), _state(model), opaque_part(model)
    try:
        # compiled code would be compiled again, for hooks that it does not know
        with nullcontext() if opaque else follow(model, left=executed):
            first = model(given)
        outputs = [_logits(model, (x,), each) for each in (first, model(x.clone()))]
        outputs.append(_joined([_logits(model, (x,), model(image[None].clone())) for image in x]))
    except Exception as error:  # whatever a network may raise
        return Examination(f"it raises on images of shape {tuple(x.shape[1:])}: {message(error)}", seen=True)
    if said := _wrong_form(outputs[0], len(x)):
        return Examination(said, seen=True, layers=layers)
    if outputs[0].shape[1] < 2:
        return Examination(ONE_OUTPUT, layers=layers)
    said = _unstable(outputs)
    if not said and not torch.equal(given, x):
        said = "it changes its input in place; let it work on a copy, such as x.clone()"
    if not said and _state(model) != state:
        said = "it changes its own weights or buffers in evaluation mode; keep them as they are in forward"
    if said:
        return Examination(said, layers=layers)
    return Examination(
        classes=outputs[0].shape[1],
        layers=layers,
        opaque=opaque,
        gradient=_has_gradient(model, x),
        adapted=not isinstance(first, Tensor) or first.dtype != x.dtype,
    )


def _logits(_model: nn.Module, args: tuple[Any, ...], output: Any) -> Any:  # noqa: ANN401 - whatever a network returns
    """The logits in an output of Hugging Face's kind, in the type of the input; anything else as it is."""
    output = getattr(output, "logits", output)
    if isinstance(output, Tensor) and output.is_floating_point() and args and isinstance(args[0], Tensor):
        return output.to(args[0].dtype)
    return output


def _sentence(reason: str) -> str:
    return f"the model cannot be explained: {reason}"


def _joined(outputs: list[Any]) -> Any:  # noqa: ANN401
    return (
        torch.cat(outputs) if all(isinstance(each, Tensor) and each.dim() == 2 for each in outputs) else None
    )


def _wrong_form(output: object, count: int) -> str:
    """Why an output is no logits; empty if it is."""
    if not isinstance(output, Tensor):
        return f"it returns {_described(output)} where logits (B, K) are needed; wrap it so that it returns these"
    if output.dim() != 2 or len(output) != count or not output.is_floating_point():
        return (
            f"it returns {output.dtype} of shape {tuple(output.shape)} for {count} images where floating-point logits"
            " (B, K) are needed"
        )
    return "" if output.isfinite().all() else "its logits are not finite"


def _described(output: object) -> str:
    if isinstance(output, (tuple, list)):
        parts = [
            f"{tuple(each.shape)}" if isinstance(each, Tensor) else type(each).__name__ for each in output
        ]
        return f"a {type(output).__name__} ({', '.join(parts)})"
    return f"a {type(output).__name__}"


def _unstable(outputs: list[Tensor]) -> str:
    """Why the logits of an image are not always the same; empty if they are, but for rounding."""
    first, again, alone = outputs
    tolerance = torch.finfo(first.dtype).eps ** 0.5 * float(first.abs().max())
    if (first - again).abs().max() > tolerance:
        return "its logits differ from call to call in evaluation mode; remove what is random in forward"
    if alone is None or alone.shape != first.shape or (first - alone).abs().max() > tolerance:
        return "its logits for an image depend on the other images of the batch; treat each image alone in forward"
    return ""


def _state(model: nn.Module) -> list[tuple[int, int]]:
    """Which tensors are the network's parameters and buffers, and how often each was changed."""
    tensors = (*model.parameters(), *model.buffers())
    return [(id(each), 0 if each.is_inference() else each._version) for each in tensors]


def _has_gradient(model: nn.Module, x: Tensor) -> bool:
    given = x[:1].clone().requires_grad_()
    try:
        with torch.enable_grad():
            logits = _logits(model, (given,), model(given))
            return torch.autograd.grad(logits.sum(), given, allow_unused=True)[0] is not None
    except RuntimeError:  # torch's word for it
        return False
