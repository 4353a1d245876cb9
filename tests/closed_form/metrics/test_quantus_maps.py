"""Stability and complexity against Quantus on the same noise and maps, with its differences stated."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark.toolkit.rng import SampleRng

quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
pytestmark = pytest.mark.filterwarnings("ignore")
Measure = Callable[..., dict[str, Any]]
SAME = {"abs": False, "normalise": False, "disable_warnings": True}


@pytest.fixture
def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(75, 16), nn.Tanh(), nn.Linear(16, 4)).eval()


@pytest.fixture
def images() -> Tensor:
    """RGB without black."""
    return 0.2 + 0.8 * torch.rand(5, 3, 5, 5, generator=torch.Generator().manual_seed(0))


def explain(x: Tensor) -> Tensor:
    """A map without small elements that changes with the input."""
    weight = torch.rand(x.shape[1:], generator=torch.Generator().manual_seed(1)) - 0.5
    return (weight + 0.4 * weight.sign()) * (1 + x) ** 2


def theirs(
    name: str, network: nn.Module, x: Tensor, radius: float, draws: int, ours: str, **settings: object
) -> Tensor:
    """Scores by Quantus, whose noise is that of our metric ``ours``."""
    rng = SampleRng(0, range(len(x)), ours)
    metric = getattr(quantus, name)(
        nr_samples=draws,
        perturb_func=lambda arr, **_: arr + rng.uniform(x, -radius, radius).flatten(1).numpy(),
        **{**SAME, **settings},
    )
    scores = metric(
        model=network,
        x_batch=x.numpy().copy(),
        y_batch=network(x).argmax(1).numpy(),
        a_batch=explain(x).numpy(),
        explain_func=lambda model, inputs, targets, **_: explain(torch.as_tensor(inputs).float()).numpy(),
        device="cpu",
    )
    return torch.from_numpy(np.array(scores)).float()


def given(network: nn.Module, x: Tensor, radius: float, draws: int) -> Mapping[str, Any]:
    return {"explain": explain, "x": x, "attribution": explain(x), "radius": radius, "draws": draws}


def relative(network: nn.Module, x: Tensor, radius: float, draws: int) -> Mapping[str, Any]:
    return {**given(network, x, radius, draws), "model": network, "logits": network(x).detach()}


def test_average_sensitivity_is_that_of_quantus(measure: Measure, network: nn.Module, images: Tensor) -> None:
    found = measure("average_sensitivity", **given(network, images, 0.1, 6))[""]
    other = theirs("AvgSensitivity", network, images, 0.1, 6, "average_sensitivity")
    torch.testing.assert_close(found, other, rtol=1e-5, atol=0)


def test_local_lipschitz_estimate_is_that_of_quantus(
    measure: Measure, network: nn.Module, images: Tensor
) -> None:
    """With its normalisation, by each map's own largest magnitude, turned off."""
    found = measure("local_lipschitz_estimate", **given(network, images, 0.1, 6))[""]
    other = theirs("LocalLipschitzEstimate", network, images, 0.1, 6, "local_lipschitz_estimate")
    torch.testing.assert_close(found, other, rtol=1e-5, atol=0)


@pytest.mark.parametrize("kind", ["input", "output"])
def test_relative_stability_is_that_of_quantus(
    measure: Measure, network: nn.Module, images: Tensor, kind: str
) -> None:
    """Where no element is small and no prediction changes."""
    ours, other = f"relative_{kind}_stability", f"Relative{kind.title()}Stability"
    found = measure(ours, **relative(network, images, 0.02, 6))
    assert (found["kept"] == 1).all()
    torch.testing.assert_close(
        found[""].score, theirs(other, network, images, 0.02, 6, ours), rtol=1e-4, atol=0
    )


def test_one_black_pixel_decides_the_score_of_quantus(
    measure: Measure, network: nn.Module, images: Tensor
) -> None:
    """It divides black by 1e-6, so that the input seems to change by thousands; here, by a hundredth at least."""
    name = "relative_input_stability"
    bright = measure(name, **relative(network, images, 0.002, 6))[""].score
    images[:, :, 2, 2] = 0
    found = measure(name, **relative(network, images, 0.002, 6))[""].score
    other = theirs("RelativeInputStability", network, images, 0.002, 6, name)
    assert (other < 1e-3 * bright).all()
    assert (found > 0.05 * bright).all()


def test_one_changed_prediction_makes_a_nan_of_quantus(
    measure: Measure, network: nn.Module, images: Tensor
) -> None:
    """It takes the maximum with the draws that do not count; here they are left out."""
    name = "relative_input_stability"
    found = measure(name, **relative(network, images, 0.6, 20))
    other = theirs("RelativeInputStability", network, images, 0.6, 20, name)
    changed = found["kept"] < 1
    assert changed.any()
    assert (found["kept"] > 0).all()
    assert torch.equal(other.isnan(), changed)
    assert found[""].score.isfinite().all()
    torch.testing.assert_close(found[""].score[~changed], other[~changed], rtol=1e-4, atol=0)


def of_map(name: str, network: nn.Module, x: Tensor, a: Tensor, **settings: object) -> Tensor:
    metric = getattr(quantus, name)(abs=True, normalise=True, disable_warnings=True, **settings)
    labels = np.zeros(len(x), dtype=int)
    scores = metric(model=network, x_batch=x.numpy(), y_batch=labels, a_batch=a.numpy().copy(), device="cpu")
    return torch.tensor(np.array(scores)).float()


def test_entropy_is_complexity(measure: Measure, network: nn.Module, images: Tensor) -> None:
    """Of maps with one channel; Quantus takes the channels of a pixel apart."""
    a = explain(images)[:, :1] ** 5
    found = measure("entropy", attribution=a)[""]
    torch.testing.assert_close(found, of_map("Complexity", network, images[:, :1], a))
    apart = of_map("Complexity", network, images, a.expand(5, 3, 5, 5))
    torch.testing.assert_close(apart, found + np.log(3))


def test_effective_complexity_is_that_of_quantus_for_each_map_alone(
    measure: Measure, network: nn.Module, images: Tensor
) -> None:
    """Quantus divides all maps of a batch by the largest magnitude among them, and counts channels apart."""
    x, a = images[:, :1], explain(images)[:, :1] ** 5
    found = measure("effective_complexity", attribution=a)[""]
    alone = [
        of_map("EffectiveComplexity", network, x[i : i + 1], a[i : i + 1], eps=0.01) for i in range(len(a))
    ]
    assert torch.equal(found, torch.cat(alone))
    together = of_map("EffectiveComplexity", network, x, a, eps=0.01)
    assert (together <= found).all()
    assert (together < found).any()
    apart = of_map("EffectiveComplexity", network, images[:1], a[:1].expand(1, 3, 5, 5), eps=0.01)
    assert torch.equal(apart, 3 * found[:1])
