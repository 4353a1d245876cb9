"""What holds for every method: it touches nothing, and a sample's map does not depend on its batch."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

IMAGES_ONLY = [
    "gradcam",
    "gradcam_plus_plus",
    "layercam",
    "guided_gradcam",
    "rise",
    "sobel",
    "gaussian",
]
NAMES = [
    *IMAGES_ONLY,
    "saliency",
    "input_x_gradient",
    "integrated_gradients",
    "smoothgrad",
    "occlusion",
    "random",
    "constant",
    "gradient_shap",
    "deeplift",
    "guided_backprop",
    "deconvnet",
    "lrp_epsilon",
    "smoothgrad_squared",
    "vargrad",
    "counterfactual_direction",
    "adversarial_explanation",
    "feature_ablation",
    "shapley_sampling",
    "kernel_shap",
    "lime",
    "deeplift_shap",
]

FEW = ("gradient_shap", "shapley_sampling", "kernel_shap", "lime", "rise", "deeplift_shap")


@pytest.fixture
def attribute(attribute: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """With few draws, which is enough for what is tested here."""

    def call(name: str, *given: object) -> Tensor:
        return attribute(name, *given, **({"draws": 5} if name in FEW else {}))

    return call


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_is_shaped_like_the_input_and_carries_no_graph(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor, name: str
) -> None:
    found = attribute(name, cnn, images, target)
    assert found.shape == images.shape
    assert found.dtype == images.dtype
    assert found.isfinite().all()
    assert not found.requires_grad


def test_leaves_model_and_input_alone(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor, name: str
) -> None:
    before = images.clone(), [parameter.clone() for parameter in cnn.parameters()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attribute(name, cnn, images, target)
    assert torch.equal(images, before[0])
    assert not images.requires_grad
    assert images.grad is None
    for parameter, old in zip(cnn.parameters(), before[1], strict=True):
        assert torch.equal(parameter, old)
        assert parameter.grad is None
        assert parameter.requires_grad


def test_needs_no_gradient_of_parameters_or_mode(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor, name: str
) -> None:
    expected = attribute(name, cnn, images, target)
    with torch.no_grad():
        assert torch.equal(attribute(name, cnn.requires_grad_(False), images, target), expected)


def test_does_not_depend_on_the_batch(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, target: Tensor, name: str
) -> None:
    images = torch.rand(15, 3, 12, 10, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    target = target.repeat(3)
    whole = attribute(name, cnn, images, target)
    for size in (1, 7):
        parts = [
            attribute(name, cnn, images[start : start + size], target[start : start + size], ids)
            for start in range(0, 15, size)
            for ids in [list(range(start, min(start + size, 15)))]
        ]
        torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-12, atol=1e-12)


def test_takes_random_numbers_from_nowhere_else(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor, name: str
) -> None:
    first = attribute(name, cnn, images, target)
    state = torch.random.get_rng_state()
    assert torch.equal(attribute(name, cnn, images, target), first)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("vector_name", [name for name in NAMES if name not in IMAGES_ONLY])
def test_explains_vectors(attribute: Callable[..., Tensor], target: Tensor, vector_name: str) -> None:
    model = nn.Sequential(nn.Linear(9, 6), nn.ReLU(), nn.Linear(6, 4))
    x = torch.rand(5, 9)
    assert attribute(vector_name, model, x, target).shape == (5, 9)
