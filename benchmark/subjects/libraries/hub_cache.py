"""Files that the Hugging Face hub's own cache holds; nothing is downloaded."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import XaiboardError
from .wanted import Wanted, absent, importing

WEIGHTS = "model.safetensors"


def cached_weights(wanted: Wanted, repository: str, extra: str) -> Path:
    """The safetensors of a repository of the hub.

    Raises:
        XaiboardError: the cache does not hold them; the message says where they would be.
    """
    found = _hub(extra).try_to_load_from_cache(repository, WEIGHTS)
    if isinstance(found, str):
        return Path(found)
    raise not_cached(wanted, repository, WEIGHTS, extra)


def not_cached(wanted: Wanted, repository: str, what: str, extra: str) -> XaiboardError:
    """The error for a file of a repository that the cache does not hold."""
    folder = Path(_hub(extra).constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    return absent(wanted, what, folder, f"run 'hf download {repository}' where there is a network")


def _hub(extra: str) -> Any:  # noqa: ANN401 - a module that may be absent
    with importing("huggingface_hub", extra):
        return import_module("huggingface_hub")
