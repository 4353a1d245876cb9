"""What the large suites promise: every kind of network, every method, and cells that can be computed."""

from __future__ import annotations

import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark import registry, suites
from xaiboard.benchmark.api import make_plan
from xaiboard.benchmark.selection import select

FAMILIES = {"ot", "standard", "adversarial", "regularised"}


@pytest.mark.parametrize("name", ["lens", "standard"])
def test_has_every_family(name: str) -> None:
    chosen = select(registry.models, str(suites.read(name)["models"]))
    assert {registry.models[choice.component.name].family for choice in chosen} >= FAMILIES


def test_the_standard_suite_has_every_method() -> None:
    """But the copies and parts of other methods' maps that are made to be asked for."""
    chosen = {
        choice.component.name for choice in select(registry.methods, str(suites.read("standard")["methods"]))
    }
    assert set(xb.methods) - chosen == {"absolute", "diverse_top"}


def test_the_lens_suite_climbs_a_ladder_of_noise_and_attacks() -> None:
    chosen = select(registry.perturbations, str(suites.read("lens")["perturbations"]))
    for name in ("sign_noise", "topk_attack", "lens_attack"):
        radii = {choice.settings["eps"] for choice in chosen if choice.component.name == name}
        assert radii == {0.01, 0.02, 0.05, 0.1, 0.2}
    assert {choice.component.name for choice in chosen} == set(xb.perturbations)


@pytest.mark.parametrize("name", ["lens", "standard"])
def test_can_be_computed(name: str) -> None:
    """On one image: nothing raises, and nothing but the known reasons stands against a cell."""
    plan = make_plan(name, models="mlp.standard", methods="saliency,gradcam", samples=1)
    assert {cell.reason for cell in plan.cells if cell.method is None or cell.method.label == "saliency"} <= {
        "",
        "the model claims no Lipschitz constant",
    }
    assert all(plan.cost(cell) is not None for cell in plan.cells if not cell.reason)
