"""Which axis of a layer's output holds the channels, read from the functions that computed it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from math import prod

from torch.autograd.graph import Node

from .graph import kind_of

CHANNELS_FIRST = re.compile(
    r"convolution|batch_norm|group_norm|pool\d|upsample|pixel_(un)?shuffle|grid_sampler"
)
"""Functions of values ``(B, C, ...)``."""

CHANNELS_LAST = {"addmm", "mm", "linear"}
"""Functions of values ``(..., C)``; so is a normalisation of layers, if it is over one axis."""

VIEWS = {"view", "unsafe_view", "reshape_alias", "squeeze", "unsqueeze"}
"""Functions that keep the order of the values in memory."""

MIXED = {"bmm", "baddbmm", "index", "as_strided"}
"""Functions whose result has other axes than their inputs."""

Axes = Mapping[int, int]
"""For axes of the layer's output, those of a function's result that they come from."""


def channel_axis(computed: Node | None, count: int) -> int | None:
    """The axis of the channels of a layer's output, ``(B, ...)``; None if what computed it does not tell.

    The functions that computed it are followed back to the nearest one whose channels are known, such as a convolution
    or a linear layer, and the axes with them.

    Args:
        computed: the function that computed the output.
        count: how many axes the output has.
    """
    todo: deque[tuple[Node | None, Axes]] = deque([(computed, {axis: axis for axis in range(count)})])
    seen: set[Node] = set()
    while todo:
        function, axes = todo.popleft()
        if function is None or function in seen:
            continue
        seen.add(function)
        own = _own_channels(function)
        if own is None:
            todo += [
                (earlier, _axes_before(function, earlier, number, axes))
                for earlier, number in function.next_functions
            ]
            continue
        direct = [axis for axis, there in axes.items() if there == own]
        left = [axis for axis in range(1, count) if axes.get(axis, own) == own]
        if len(found := direct or left) == 1:
            return found[0]
    return None


def _own_channels(function: Node) -> int | None:
    """The axis of the channels in the result of a function, where the function itself tells."""
    kind, last = kind_of(function), len(_shape(function)) - 1
    if CHANNELS_FIRST.search(kind):
        return 1
    normalised = getattr(function, "_saved_normalized_shape", ())
    return last if kind in CHANNELS_LAST or len(normalised) == 1 else None


def _axes_before(function: Node, earlier: Node | None, number: int, axes: Axes) -> Axes:
    """The axes in an input of the function, which is the result ``number`` of an earlier one."""
    kind, shape = kind_of(function), _shape(function)
    given = () if earlier is None else _shape(earlier, number)
    if kind in MIXED:
        return {}
    if kind in VIEWS:
        places = _places(shape, given)
    elif kind in ("permute", "transpose", "t"):
        places = _moved(function, len(shape))
    else:
        places = dict(enumerate(range(len(shape)))) if len(given) == len(shape) else {}
    return {axis: places[there] for axis, there in axes.items() if there in places}


def _places(shape: Sequence[int], given: Sequence[int]) -> Axes:
    """Axes that are in both shapes of the same values: as long, and with as many values in front."""
    before = {(prod(given[:axis]), size): axis for axis, size in enumerate(given) if size > 1}
    keys = [(prod(shape[:axis]), size) for axis, size in enumerate(shape)]
    return {axis: before[key] for axis, key in enumerate(keys) if key in before}


def _moved(function: Node, count: int) -> Axes:
    """Where the axes of the result of a permutation come from."""
    if (dims := getattr(function, "_saved_dims", None)) is not None:
        return {axis: _signed(dim) % count for axis, dim in enumerate(dims)}
    one, other = (_signed(getattr(function, f"_saved_dim{end}", end)) % count for end in (0, 1))
    return {**dict(enumerate(range(count))), one: other, other: one}


def _signed(dim: int) -> int:
    """The number of an axis, which torch gives without its sign if it is negative."""
    return dim - 2**64 if dim >= 2**63 else dim


def _shape(function: Node, number: int = 0) -> tuple[int, ...]:
    return tuple(function._input_metadata[number].shape)
