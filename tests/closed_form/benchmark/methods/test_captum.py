"""Against captum and against plain autograd, with settings of their own."""

from collections.abc import Callable

import captum.attr
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from xaiboard.benchmark.toolkit.rng import SampleRng


def gradient(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """One sample at a time, by the Jacobian."""
    rows = []
    for image, chosen in zip(x, target, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda z, k=chosen: model(z[None])[0, k], image)
        assert isinstance(jacobian, Tensor)
        rows.append(jacobian)
    return torch.stack(rows)


def test_saliency_is_the_jacobian(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    torch.testing.assert_close(attribute("saliency", cnn, images, target), gradient(cnn, images, target))


@pytest.mark.parametrize("steps", [5, 32])
def test_integrated_gradients_is_the_quadrature_written_out(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor, steps: int
) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    path = sum(
        w / 2 * gradient(cnn, 0.2 + (node + 1) / 2 * (images - 0.2), target)
        for node, w in zip(nodes, weights, strict=True)
    )
    found = attribute("integrated_gradients", cnn, images, target, steps=steps, baseline=0.2)
    torch.testing.assert_close(found, path * (images - 0.2))


def test_integrated_gradients_is_that_of_captum_in_one_batch(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    other = captum.attr.IntegratedGradients(cnn).attribute(
        images, torch.zeros_like(images), target, n_steps=32, internal_batch_size=64
    )
    torch.testing.assert_close(attribute("integrated_gradients", cnn, images, target), other.detach())


def test_smoothgrad_is_the_mean_over_the_noise_it_is_given(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    rng = SampleRng(0, range(5), "smoothgrad")
    noisy = [images + 0.15 * rng.normal(images) for _ in range(4)]
    expected = torch.stack([gradient(cnn, each, target) for each in noisy]).mean(0)
    torch.testing.assert_close(attribute("smoothgrad", cnn, images, target, draws=4), expected)


@pytest.mark.parametrize(("window", "stride"), [(4, 2), (5, 3)])
def test_occlusion_is_that_of_captum_up_to_its_float32(
    attribute: Callable[..., Tensor],
    cnn: nn.Sequential,
    images: Tensor,
    target: Tensor,
    window: int,
    stride: int,
) -> None:
    other = captum.attr.Occlusion(cnn).attribute(
        images, (3, window, window), (3, stride, stride), target=target, perturbations_per_eval=7
    )
    found = attribute("occlusion", cnn, images, target, window=window, stride=stride)
    torch.testing.assert_close(found.float(), other, rtol=1e-5, atol=1e-7)


def test_gradcam_is_that_of_captum_on_the_last_convolution(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    coarse = captum.attr.LayerGradCam(cnn, cnn[2]).attribute(images, target)
    assert isinstance(coarse, Tensor)
    expected = interpolate(coarse.detach().relu(), (12, 10), mode="bilinear")
    torch.testing.assert_close(attribute("gradcam", cnn, images, target).sum(1, keepdim=True), expected)
