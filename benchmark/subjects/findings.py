"""What a few passes through a network say of it, and why it cannot be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..errors import message
from ..toolkit.executed import first_tensor, follow, opaque_part
from ..toolkit.networks import evaluating, require_values
from .batches import mixes_images
from .logits import are_same, as_logits, logits_of, wrong_form
from .saved_memory import SavedMemory


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
        image_bytes: memory of what it keeps of one image for the backward pass; 0 where that was not measured.
    """

    reason: str = ""
    seen: bool = False
    classes: int = 0
    layers: Sequence[Executed] = ()
    opaque: str = ""
    gradient: bool = True
    adapted: bool = False
    image_bytes: int = 0


ONE_OUTPUT = (
    "it has one output, and two classes are needed; return torch.cat([0 * z, z], 1) for its output z, whose softmax is"
    " the sigmoid of z"
)


@torch.no_grad()
def look_at(model: nn.Module, x: Tensor) -> Examination:
    """What there is to say of a network in evaluation mode after about ten passes with one or two images ``x``."""
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
            returned = model(given)
        first, again = as_logits(model, (x,), returned), logits_of(model, x)
        logits_of(model, x[:1])
    except Exception as error:  # whatever a network may raise
        return Examination(f"it raises on images of shape {tuple(x.shape[1:])}: {message(error)}", seen=True)
    if said := wrong_form(first, len(x)):
        return Examination(said, seen=True, layers=layers)
    if first.shape[1] < 2:
        return Examination(ONE_OUTPUT, layers=layers)
    said, memory = "", SavedMemory(model)
    if not are_same(first, again):
        said = "its logits differ from call to call in evaluation mode; remove what is random in forward"
    elif _differs_with_gradients(model, x, first, memory):
        said = (
            "its logits differ with and without gradients; compute the same whatever torch.is_grad_enabled() and"
            " requires_grad say"
        )
    elif mixes_images(model, x):
        said = "its logits for an image depend on the other images of the batch; treat each image alone in forward"
    elif not torch.equal(given, x):
        said = "it changes its input in place; let it work on a copy, such as x.clone()"
    elif _state(model) != state:
        said = "it changes its own weights or buffers in evaluation mode; keep them as they are in forward"
    if said:
        return Examination(said, layers=layers)
    return Examination(
        classes=first.shape[1],
        layers=layers,
        opaque=opaque,
        gradient=has_gradient(model, x),
        adapted=not isinstance(returned, Tensor) or returned.dtype != x.dtype,
        image_bytes=memory.bytes // len(x),
    )


@torch.enable_grad()
def _differs_with_gradients(model: nn.Module, x: Tensor, logits: Tensor, memory: SavedMemory) -> bool:
    """Whether a network computes something else than ``logits`` for images ``x`` where gradients are recorded."""
    given = x.clone().requires_grad_()
    try:
        with memory.measured():
            found = as_logits(model, (given,), model(given.clone()))
    except Exception:  # methods that need gradients report it
        return False
    return not isinstance(found, Tensor) or not are_same(logits, found.detach())


def _state(model: nn.Module) -> list[tuple[int, int]]:
    """Which tensors are the network's parameters and buffers, and how often each was changed."""
    tensors = (*model.parameters(), *model.buffers())
    return [(id(each), 0 if each.is_inference() else each._version) for each in tensors]


def has_gradient(model: nn.Module, x: Tensor) -> bool:
    """Whether the logits of a network have a gradient with respect to the first of the images ``x``."""
    given = in_type_of(model, x[:1].detach()).clone().requires_grad_()
    try:
        with undisturbed(model, given), torch.enable_grad():
            logits = as_logits(model, (given,), model(given))
            return torch.autograd.grad(logits.sum(), given, allow_unused=True)[0] is not None
    except RuntimeError:  # torch's word for it
        return False


@contextmanager
def undisturbed(model: nn.Module, x: Tensor) -> Iterator[None]:
    """Puts a network into evaluation mode for a while; what it draws from torch's global stream is put back."""
    with torch.random.fork_rng([x.device] if x.device.type == "cuda" else []), evaluating(model):
        yield


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
