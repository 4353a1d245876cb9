"""Every flag of torch that has a getter and a setter: those of its backends above all, whichever its version has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import torch
import torch.backends.mha
import torch.backends.opt_einsum

Setting = tuple[Callable[[], Any], Callable[[Any], object]]
"""Reads a part of the state, and sets it."""

NO_STATE = {"thread_name", "torch_function_state", "sdp_priority_order", "deterministic_algorithms"}
"""Pairs of getters and setters that are no flags, or are watched with what belongs to them."""

SUBNORMAL = 1e-310
"""A number that becomes 0 in an operation if torch flushes such numbers."""


def _flags() -> Mapping[str, Setting]:
    """``torch.backends`` and its like keep their flags in the library written in C, as ``_get_NAME``, ``_set_NAME``."""
    found: dict[str, Setting] = {}
    for name in sorted(each.removeprefix("_set_") for each in dir(torch._C) if each.startswith("_set_")):
        read, write = getattr(torch._C, f"_get_{name}", None), getattr(torch._C, f"_set_{name}")
        if read is not None and name not in NO_STATE and _read(read) is not None:
            found[f"torch's flag {name}"] = (partial(_read, read), partial(_write, write))
    return found


def _read(read: Callable[[], Any]) -> Any:  # noqa: ANN401
    """The value of a flag; None of what takes arguments, and while other flags contradict it, as precisions can."""
    try:
        return read()
    except (TypeError, RuntimeError):
        return None


def _write(write: Callable[..., object], value: Any) -> None:  # noqa: ANN401
    with suppress(RuntimeError):  # the flags that contradict it are written, too, and then it once more
        write(*value) if isinstance(value, tuple) else write(value)


def _attention() -> Mapping[str, Setting]:
    cuda = torch.backends.cuda
    return {
        f"torch's flag {kind}_sdp": (
            getattr(cuda, f"{kind}_sdp_enabled"),
            getattr(cuda, f"enable_{kind}_sdp"),
        )
        for kind in ("flash", "mem_efficient", "math", "cudnn")
        if hasattr(cuda, f"enable_{kind}_sdp")
    }


def _precisions() -> Mapping[str, Setting]:
    """Of products and convolutions in float32, by backend and operation, where torch has them."""
    read, write = (getattr(torch._C, f"_{verb}_fp32_precision_{verb}ter", None) for verb in ("get", "set"))
    if read is None or write is None:
        return {}
    return {
        f"torch's precision of {backend} {kind}": (
            partial(read, backend, kind),
            partial(write, backend, kind),
        )
        for backend in ("generic", "mkldnn", "cuda")
        for kind in ("all", "matmul", "conv", "rnn")
        if backend != "generic" or kind == "all"
    }


def _is_flushing() -> bool:
    return (torch.tensor(SUBNORMAL, dtype=torch.float64, device="cpu") * 1).item() == 0


FLAGS: Mapping[str, Setting] = {
    **_flags(),
    **_attention(),
    **_precisions(),
    "torch's fast path of attention": (
        torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled
    ),
    "torch.backends.opt_einsum.enabled": (
        lambda: torch.backends.opt_einsum.enabled,
        lambda value: setattr(torch.backends.opt_einsum, "enabled", value),
    ),
    "whether torch flushes small numbers to 0": (_is_flushing, torch.set_flush_denormal),
}  # fmt: skip
"""By name, what a component may set and forget to set back."""
