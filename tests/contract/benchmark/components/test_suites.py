"""What the large suites promise: every kind of network, every method, and cells that can be computed."""

from __future__ import annotations

import pytest
import xaiboard.benchmark as xb
from torch import nn
from xaiboard.benchmark.components import registry, suites
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.report.attribution_robustness.convergence import doubled
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs.planning import make_plan
from xaiboard.benchmark.toolkit.labels import Label, read_settings

LADDER = [
    "sign_noise", "gaussian_noise", "uniform_noise", "best_of_random", "topk_attack", "lens_attack", "pgd",
    "adversarial_explanation_attack",
]  # fmt: skip
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
    no_transformer = {"attention_relevance", "attention_rollout"}
    assert set(xb.methods) - chosen == {"absolute", "diverse_top"} | no_transformer


def test_the_imagenet_suite_has_the_networks_that_the_user_names() -> None:
    with pytest.raises(XaiboardError, match=r"trained on photos; name one with --models, .* timm:resnet18"):
        read_request("imagenet")
    request = read_request("imagenet", models={"mine": nn.Flatten()}, samples=2)
    assert (request.dataset, request.usual, list(request.models)) == ("photos", 1000, ["mine"])
    assert {"random", "sobel"} < {choice.component.name for choice in request.methods}


def test_the_imagenet_suite_costs_what_it_says() -> None:
    """Passes of an image, on a network of which attention methods know nothing: forward and backward."""
    network = nn.Sequential(nn.Conv2d(3, 4, 7, stride=16), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network.append(nn.Linear(4, 1000))
    plan = make_plan(read_request("imagenet", models={"mine": network}, samples=1))
    todo = [cell for cell in plan.cells if not cell.reason]
    assert {cell.method.component.name for cell in todo if cell.method} == {
        "saliency", "integrated_gradients", "smoothgrad", "gradcam", "occlusion", "random", "sobel"
    }  # fmt: skip
    cost = plan.total(todo)
    assert 850 < cost.forward + cost.backward < 950


def test_the_lens_suite_climbs_a_ladder_of_noise_and_attacks() -> None:
    chosen = select(registry.perturbations, str(suites.read("lens")["perturbations"]))
    at = {
        name: {choice.settings.get("eps") for choice in chosen if choice.component.name == name}
        for name in LADDER
    }
    assert at == {key: {0.01, 0.02, 0.05, 0.1, 0.2} for key in LADDER}
    assert {choice.component.name for choice in chosen} == set(xb.perturbations)
    transferred = {choice.settings["eps"] for choice in chosen if choice.settings.get("other")}
    assert transferred == {0.01, 0.02, 0.05, 0.1, 0.2}


@pytest.mark.parametrize("attack", ["topk_attack", "lens_attack"])
def test_the_lens_suite_checks_whether_its_attacks_converge(attack: str) -> None:
    chosen = select(registry.perturbations, str(suites.read("lens")["perturbations"]))
    labels = [Label(choice.component.name, read_settings(choice.settings_text)) for choice in chosen]
    checked = [label for label in labels if label.name == attack and doubled(label) in labels]
    assert any(label.settings["eps"] == "0.1" for label in checked)


@pytest.mark.parametrize("name", ["lens", "standard"])
def test_can_be_computed(name: str) -> None:
    """On one image: nothing raises, and nothing but the known reasons stands against a cell."""
    plan = make_plan(read_request(name, models="mlp.standard", methods="saliency,gradcam", samples=1))
    assert {cell.reason for cell in plan.cells if cell.method is None or cell.method.label == "saliency"} <= {
        "",
        "the model claims no Lipschitz constant",
    }
    assert all(plan.cost(cell) is not None for cell in plan.cells if not cell.reason)
