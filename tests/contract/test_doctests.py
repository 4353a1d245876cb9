"""Examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest
import xaiboard.benchmark
import xaiboard.metrics
import xaiboard.models

PACKAGES = (xaiboard.benchmark, xaiboard.metrics, xaiboard.models)


def modules() -> list[str]:
    found = [package.__name__ for package in PACKAGES]
    for package in PACKAGES:
        found += [each.name for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return sorted(found)


def test_all_packages_are_walked() -> None:
    names = modules()
    assert {"xaiboard.benchmark.methods.saliency", "xaiboard.metrics.gini", "xaiboard.models.ot"} <= set(
        names
    )
    assert len(names) > 60


@pytest.mark.parametrize("name", [name for name in modules() if not name.endswith(".__main__")])
def test_examples(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("deel"):
            raise
        pytest.skip(f"{error.name} is not installed: it is needed for training only")
    failed, tried = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0, f"{failed} of {tried} examples"
