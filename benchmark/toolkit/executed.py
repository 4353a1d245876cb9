"""Which layers of a network are executed: followed in a forward pass, not read from the order of registration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from .networks import Scripted

Entered = Callable[[nn.Module], object]
Left = Callable[[nn.Module, object], object]


@contextmanager
def follow(model: nn.Module, *, entered: Entered = lambda layer: None, left: Left) -> Iterator[None]:
    """Reports the modules of ``model`` that are called inside the ``with`` block, in the order of execution.

    The hooks are torch's global ones, so nothing is put on the model.

    Args:
        model: the network; calls of other modules are not reported.
        entered: is called with each module before its ``forward``.
        left: is called with each module and what its ``forward`` returned; if it returns something else than None,
            that takes the output's place.
    """
    own = set(model.modules())

    def before(layer: nn.Module, _args: object) -> None:
        if layer in own:
            entered(layer)

    def after(layer: nn.Module, _args: object, output: object) -> Any:  # noqa: ANN401 - torch says None, and takes more
        return left(layer, output) if layer in own else None

    handles = [register_module_forward_pre_hook(before), register_module_forward_hook(after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Calls(TorchFunctionMode):
    """Hands each call of a torch function inside the ``with`` block to another one, whose result takes its place.

    Args:
        call: gets the function, its positional arguments and the others by name.
    """

    def __init__(self, call: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]) -> None:
        super().__init__()
        self._call = call

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """What ``call`` makes of the call."""
        return self._call(func, args, dict(kwargs or {}))


def first_tensor(output: object) -> Tensor | None:
    """What a layer returned, or the first tensor in a tuple of it; None where there is none."""
    candidates = output if isinstance(output, (tuple, list)) else (output,)
    return next((each for each in candidates if isinstance(each, Tensor)), None)


def opaque_part(model: nn.Module) -> str:
    """Which part of the model runs where no hook and no rule can follow it, in words; empty if there is none."""
    for name, layer in model.named_modules():
        where = f"its part '{name}'" if name and not isinstance(model, Scripted) else "it"
        if isinstance(layer, torch.jit.ScriptModule):
            return f"{where} is TorchScript"
        if hasattr(layer, "_orig_mod") or getattr(layer, "_compiled_call_impl", None) is not None:
            return f"{where} is compiled"
    return ""
