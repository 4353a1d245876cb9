"""Checkpoints: the state of an unfinished training, in a safetensors file that only the same training may continue."""

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
"""Version of the file's format; raised when its content changes its meaning."""

STALE = 60.0
"""A temporary file older than so many seconds is left over from a killed process: writing takes less than one."""


@dataclass(frozen=True)
class State:
    """Everything that determines the steps of a training that are still to come.

    Args:
        tensors: parameters, buffers, moments of Adam and states of random generators, by name.
        notes: everything else, ready for JSON.
    """

    tensors: Mapping[str, Tensor]
    notes: Mapping[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """The file of an unfinished training.

    Args:
        path: path of the file.
        identity: everything that tells one training from another, ready for JSON. A file with another identity is
            refused.
    """

    path: Path
    identity: Mapping[str, object]

    def write(self, state: State) -> None:
        """Writes the file whole or not at all; an older one is replaced.

        Raises:
            XaiboardError: the disk is full or not writable.
        """
        tensors = {name: value.detach().cpu().clone().contiguous() for name, value in state.tensors.items()}
        text = json.dumps({"identity": {"format": FORMAT, **self.identity}, "notes": state.notes})
        metadata = {"training": text, "sha256": _digest(text, tensors)}
        content = save(tensors, metadata)
        write_file(self.path, lambda path: path.write_bytes(content))

    def read(self) -> State | None:
        """The state that was written last, on the CPU; None if there is no file.

        Raises:
            XaiboardError: the file is damaged, or belongs to another training.
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
        """Checks that no unfinished training would be overwritten.

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
        # Copied, because tensors that lie in the file's memory need not be aligned as torch aligns its own.
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - no mapping
        metadata = file.metadata() or {}
    if _digest(metadata["training"], tensors) != metadata["sha256"]:
        raise ValueError("its content does not match its digest")
    return json.loads(metadata["training"]), tensors


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over everything in the file, because safetensors itself would not notice a changed byte."""
    digest = sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Part of a sentence: in what a checkpoint's identity differs from that of the training; empty if in nothing."""
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
