"""A file of weights: read into a network, or refused."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import XaiboardError
from ..toolkit.files import user_path

PICKLES = (".pt", ".pth", ".ckpt", ".bin")
"""Endings of files with weights that are no safetensors."""


def refuse_pickles(path: str) -> None:
    """Refuses a file that torch pickled.

    Raises:
        XaiboardError: its name ends like that of one.
    """
    if path.endswith(PICKLES):
        raise XaiboardError(
            f"'{path}' is a file that torch pickled, which may run any code when it is read; write its weights with"
            " safetensors.torch.save_file(network.state_dict(), 'name.safetensors') and register a function with"
            " @model(weights='name.safetensors'), or give the network itself from Python"
        )


def require_safetensors(typed: str) -> Path:
    """The file of weights that a user names.

    Raises:
        XaiboardError: there is no such file, or it is no safetensors.
    """
    refuse_pickles(typed)
    path = user_path(typed)
    if path.suffix != ".safetensors" or not path.is_file():
        came = "does not exist" if path.suffix == ".safetensors" else "does not end in .safetensors"
        raise XaiboardError(f"weights '{typed}' must be a safetensors file; it {came}")
    return path


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name.

    Raises:
        XaiboardError: the file cannot be read.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise XaiboardError(f"weights '{path}' cannot be read ({error}); restore the file") from None


def load_weights(network: nn.Module, path: Path, name: str) -> None:
    """Reads a safetensors file into a network, every tensor of it.

    Raises:
        XaiboardError: the file cannot be read, or does not fit the network.
    """
    weights, own = read_weights(path), network.state_dict()
    shapes = {key: tuple(value.shape) for key, value in weights.items()}
    other = [
        f"'{key}' is {shape}, and {tuple(own[key].shape)} in the network"
        for key, shape in shapes.items()
        if key in own and shape != own[key].shape
    ]
    require_fit(
        path, name, missing=own.keys() - weights.keys(), more=weights.keys() - own.keys(), other=other
    )
    network.load_state_dict(weights, strict=True)


def require_fit(
    path: Path, name: str, *, missing: Collection[str], more: Collection[str], other: Collection[str]
) -> None:
    """Refuses weights that are not those of a network.

    Args:
        path: the file.
        name: of the network.
        missing: tensors that the network has, and the file has not.
        more: tensors that the file has, and the network has not.
        other: sentences on tensors of another shape.

    Raises:
        XaiboardError: there are any of these.
    """
    reasons = [
        said.format(f"{min(found)}{' and others' if len(found) > 1 else ''}")
        for said, found in (
            ("{}", other),
            ("it lacks {}", [f"'{key}'" for key in missing]),
            ("the network lacks {}", [f"'{key}'" for key in more]),
        )
        if found
    ]
    if reasons:
        raise XaiboardError(
            f"weights '{path}' do not fit the network of '{name}': {'; '.join(reasons)}; give the weights of this"
            " network"
        )
