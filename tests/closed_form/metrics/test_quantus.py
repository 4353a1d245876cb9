"""Against Quantus, with its differences stated: they are why these metrics are written here."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.gini import gini

quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
pytestmark = pytest.mark.filterwarnings("ignore")
Measure = Callable[..., dict[str, Tensor]]


@pytest.fixture
def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(49, 16), nn.ReLU(), nn.Linear(16, 4)).eval()


@pytest.fixture
def images() -> Tensor:
    """Grey images that contain black: the baseline of Quantus is the darkest value of each."""
    x = torch.rand(5, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    return x - x.amin((1, 2, 3), keepdim=True)


def draw(x: Tensor) -> Tensor:
    """A map without ties."""
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(1))


def pixel_flipping(network: nn.Sequential, x: Tensor, target: Tensor, a: Tensor, features: int) -> Tensor:
    metric = quantus.PixelFlipping(
        features_in_step=features, abs=False, normalise=False, perturb_baseline="black", disable_warnings=True
    )
    curves = metric(
        model=network,
        x_batch=x.numpy(),
        y_batch=target.numpy(),
        a_batch=a.numpy(),
        softmax=True,
        device="cpu",
    )
    return torch.from_numpy(np.array(curves)).float()


@pytest.mark.parametrize("features", [1, 7])
def test_deletion_is_pixel_flipping_with_its_first_point(
    measure: Measure, network: nn.Sequential, images: Tensor, features: int
) -> None:
    target, a = network(images).argmax(1), draw(images)
    other = pixel_flipping(network, images, target, a, features)
    curve = measure("deletion", model=network, x=images, target=target, attribution=a, steps=49 // features)[
        "curve"
    ]
    torch.testing.assert_close(curve[:, 1:], other, rtol=1e-5, atol=1e-6)
    assert curve.shape[1] == other.shape[1] + 1
    intact = network(images).softmax(1).gather(1, target[:, None])[:, 0].detach()
    torch.testing.assert_close(curve[:, 0], intact)


def test_quantus_erases_one_channel_at_a_time(measure: Measure) -> None:
    """The same curve where a pixel's channels follow each other, half-erased pixels where they do not."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(108, 4)).eval()
    x = torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    x[:, :, 0, 0] = 0
    target, a = network(x).argmax(1), draw(x).mean(1, keepdim=True).expand_as(x)
    given = {"model": network, "x": x, "target": target, "steps": 36}

    together = pixel_flipping(network, x, target, a + 1e-6 * draw(x), 3)
    curve = measure("deletion", **given, attribution=a)["curve"][:, 1:]
    torch.testing.assert_close(curve, together, rtol=1e-5, atol=1e-6)

    uneven = a * torch.tensor([1.0, 0.5, -1.0])[:, None, None]
    apart = pixel_flipping(network, x, target, uneven, 3)
    curve = measure("deletion", **given, attribution=uneven)["curve"][:, 1:]
    assert (curve - apart).abs().max() > 1e-3
    torch.testing.assert_close(curve[:, -1], apart[:, -1])


def test_gini_is_sparseness(images: Tensor, network: nn.Sequential) -> None:
    """Up to the 1e-7 that Quantus adds to every pixel, which hides the sparsity of small maps."""
    metric = quantus.Sparseness(abs=True, normalise=False, disable_warnings=True)

    def sparseness(a: Tensor) -> Tensor:
        given = {"model": network, "x_batch": images.numpy(), "y_batch": np.zeros(5, dtype=int)}
        return torch.tensor(metric(**given, a_batch=a.numpy().copy(), device="cpu")).float()

    a = draw(images)
    torch.testing.assert_close(gini(a), sparseness(a), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gini(1e-6 * a), gini(a), rtol=1e-5, atol=1e-5)
    assert (sparseness(1e-6 * a) < gini(a) - 0.01).all()


def test_max_sensitivity_is_that_of_quantus_on_the_same_noise(
    measure: Measure, network: nn.Sequential, images: Tensor
) -> None:
    """Quantus draws from the global stream, for the whole batch; given our noise, it gives our scores."""
    first, last = network[1], network[3].get_parameter("weight")

    def gradient(x: Tensor, target: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        score = nn.functional.softplus(first(x.flatten(1)), beta=3) @ last.T  # smooth, unlike ReLU
        return torch.autograd.grad(score.gather(1, target[:, None]).sum(), x)[0]

    target = torch.arange(5) % 4
    a = gradient(images, target)
    rng = SampleRng(0, range(5), "max_sensitivity")
    metric = quantus.MaxSensitivity(
        nr_samples=6,
        abs=False,
        normalise=False,
        disable_warnings=True,
        perturb_func=lambda arr, **_: arr + rng.uniform(images, -0.1, 0.1).flatten(1).numpy(),
    )
    other = metric(
        model=network,
        x_batch=images.numpy(),
        y_batch=target.numpy(),
        a_batch=a.numpy(),
        explain_func=lambda model, inputs, targets, **_: gradient(
            torch.as_tensor(inputs).float(), torch.as_tensor(targets)
        ).numpy(),
        device="cpu",
    )
    found = measure(
        "max_sensitivity",
        explain=lambda z: gradient(z, target),
        x=images,
        attribution=a,
        radius=0.1,
        draws=6,
    )[""]
    torch.testing.assert_close(found, torch.tensor(np.array(other)).float())
