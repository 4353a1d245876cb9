"""What is asked of a library, what it says of a network, and what all of them have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from ...errors import XaiboardError, message
from ...toolkit.preprocessing import Preprocessing


@dataclass(frozen=True)
class Wanted:
    """A network that a library is asked for.

    Args:
        typed: the name with the library in front, for messages.
        name: the name by which the library knows it.
        file: safetensors with its weights, or None for those in the library's cache.
        seed: of random weights, or None for trained ones.
        classes: number of its logits; 0 for what the library says.
        side: rows and columns of its images; 0 for what the library says.
    """

    typed: str
    name: str
    file: Path | None = None
    seed: int | None = None
    classes: int = 0
    side: int = 0

    @property
    def cached(self) -> bool:
        """Whether the weights are those in the library's cache."""
        return self.file is None and self.seed is None


@dataclass(frozen=True)
class Described:
    """What a library says of a network, before it is built.

    Args:
        preprocessing: what it does to images.
        classes: number of its logits.
        channels: of its images.
    """

    preprocessing: Preprocessing
    classes: int
    channels: int = 3


@contextmanager
def importing(library: str, extra: str) -> Iterator[None]:
    """Turns a failed import into a sentence.

    Raises:
        XaiboardError: the library is not installed, or does not fit those that it needs.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != library:
            raise XaiboardError(_misfit(library, error)) from error
        raise XaiboardError(
            f"networks named {extra}:NAME need the library '{library}', which is not installed; run: pip install"
            f' "xaiboard[{extra}]"'
        ) from None
    except Exception as error:  # what compiled code raises that was built for another torch
        raise XaiboardError(_misfit(library, error)) from error


def _misfit(library: str, error: Exception) -> str:
    return (
        f"the library '{library}' cannot be imported ({message(error)}); install it with the torch and torchvision"
        " that it needs"
    )


@contextmanager
def drawing(seed: int | None) -> Iterator[None]:
    """Draws random weights from a stream of their own; torch's global one is put back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed or 0)
        yield


def absent(wanted: Wanted, lacks: str, what: str, where: Path, get: str) -> XaiboardError:
    """The error for what a library's cache does not hold.

    Args:
        wanted: the network.
        lacks: what it thus has not, such as ``no weights``.
        what: the file that is missing.
        where: where it would be.
        get: how to get it there, or do without.
    """
    return XaiboardError(f"'{wanted.typed}' has {lacks} on this machine: {what} is not at '{where}'; {get}")
