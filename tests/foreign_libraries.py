"""timm, transformers and torchvision for tests: skipped where they are not installed, and mended where they need it.

The build of torchvision that the registry has needs CUDA's libraries for its own operators. Beside torch's CPU build it
fails to import, because it describes two operators that are then not there; none of the networks needs them.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest
import torch

_DEFINED: list[torch.library.Library] = []
"""Definitions last as long as this list holds them."""


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    try:
        return pytest.importorskip("torchvision", reason="torchvision is not installed")
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
        _DEFINED.append(library)
        return import_module("torchvision")


@pytest.fixture(scope="session")
def timm(torchvision: ModuleType) -> ModuleType:
    return pytest.importorskip("timm", reason="timm is not installed")


@pytest.fixture(scope="session")
def transformers(torchvision: ModuleType) -> ModuleType:
    return pytest.importorskip("transformers", reason="transformers is not installed")
