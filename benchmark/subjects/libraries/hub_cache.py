"""Files that the Hugging Face hub's own cache holds; nothing is downloaded."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from .wanted import Wanted, absent, importing

WEIGHTS = "model.safetensors"


def cached_weights(wanted: Wanted, repository: str, extra: str) -> Path:
    """The safetensors of a repository of the hub.

    Raises:
        XaiboardError: the cache does not hold them; the message says where they would be.
    """
    if found := cached(repository, WEIGHTS, extra):
        return found
    get = f"{download(repository)}, or give pretrained=FILE.safetensors"
    raise absent(wanted, "no weights", WEIGHTS, folder_of(repository, extra), get)


def cached(repository: str, name: str, extra: str) -> Path | None:
    """A file of a repository of the hub; None if the cache does not hold it."""
    found = _hub(extra).try_to_load_from_cache(repository, name)
    return Path(found) if isinstance(found, str) else None


def folder_of(repository: str, extra: str) -> Path:
    """Where the cache has, or would have, a repository."""
    return Path(_hub(extra).constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"


def download(repository: str) -> str:
    """How a user gets a repository there."""
    return f"run 'hf download {repository}' where there is a network"


def _hub(extra: str) -> Any:  # noqa: ANN401 - a module that may be absent
    with importing("huggingface_hub", extra):
        return import_module("huggingface_hub")
