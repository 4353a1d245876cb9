"""Checkpoints: a training under way, in one safetensors file that only the same training continues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.files import sweep, write_file

FORMAT = 1
"""Of the file; raised when its content changes its meaning."""

STALE = 60.0
"""Seconds after which a temporary file is left over from a killed process: writing takes less than one."""


@dataclass(frozen=True)
class State:
    """What decides how a training goes on.

    Args:
        tensors: parameters, buffers, moments, random states, by name.
        notes: the rest, ready for JSON.
    """

    tensors: Mapping[str, Tensor]
    notes: Mapping[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """The file of an unfinished training.

    Args:
        path: of the file.
        identity: what the training is, ready for JSON; a file of another one is refused.
    """

    path: Path
    identity: Mapping[str, object]

    def write(self, state: State) -> None:
        """Writes the file, over an older one, whole or not at all.

        Raises:
            XaiboardError: the disk is full or not writable.
        """
        tensors = {name: value.detach().cpu().clone().contiguous() for name, value in state.tensors.items()}
        text = json.dumps({"identity": {"format": FORMAT, **self.identity}, "notes": state.notes})
        metadata = {"training": text, "sha256": _digest(text, tensors)}
        content = save(tensors, metadata)
        write_file(self.path, lambda path: path.write_bytes(content))

    def read(self) -> State | None:
        """What was written last, on the CPU; None if there is no file.

        Raises:
            XaiboardError: the file is damaged, or of another training.
        """
        sweep(self.path.parent, self.path.name, older=STALE)
        if not self.path.exists():
            return None
        try:
            training, tensors = _load(self.path)
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise XaiboardError(
                f"checkpoint '{self.path}' is damaged ({error}); delete it to start anew"
            ) from None
        wanted = json.loads(json.dumps({"format": FORMAT, **self.identity}))
        if differences := _differences(training["identity"], wanted):
            raise XaiboardError(
                f"checkpoint '{self.path}' is of another training: {differences}; resume with what it was started"
                " with, or delete it to start anew"
            )
        return State(tensors, training["notes"])

    def require_none(self) -> None:
        """Refuses to write over an unfinished training.

        Raises:
            XaiboardError: the file exists.
        """
        sweep(self.path.parent, self.path.name, older=STALE)
        if self.path.exists():
            raise XaiboardError(
                f"'{self.path}' holds an unfinished training; continue it with --resume (resume=True), or delete it"
                " to start anew"
            )

    def remove(self) -> None:
        """Deletes the file: the training is finished."""
        self.path.unlink(missing_ok=True)


def _load(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    with safe_open(path, "pt") as file:
        # Copies, because the file's tensors need not be aligned in memory as those of torch are.
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - no mapping
        metadata = file.metadata() or {}
    if _digest(metadata["training"], tensors) != metadata["sha256"]:
        raise ValueError("its content does not match its digest")
    return json.loads(metadata["training"]), tensors


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over everything in the file; safetensors does not notice a changed byte."""
    digest = sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    one, other = _flat(found), _flat(wanted)
    names = [name for name in {**other, **one} if one.get(name) != other.get(name)]
    return ", ".join(f"{name} {_short(one.get(name))}, here {_short(other.get(name))}" for name in names)


def _flat(identity: Mapping[str, Any]) -> dict[str, object]:
    """``{"recipe": {"rate": 1}}`` as ``{"recipe's rate": 1}``."""
    flat = {}
    for name, value in identity.items():
        inner = (
            {f"{name}'s {key}": each for key, each in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
        flat |= inner
    return flat


def _short(value: object) -> str:
    return "none" if value is None else str(value)[:40]
