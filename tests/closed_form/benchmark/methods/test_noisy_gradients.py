"""SmoothGrad squared and VarGrad: what they have to do with SmoothGrad, and captum with many draws."""

import captum.attr
import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, methods
from xaiboard.benchmark.toolkit.rng import SampleRng


def on_the_same_noise(name: str, model: nn.Module, x: Tensor, target: Tensor, draws: int) -> Tensor:
    rng = SampleRng(0, range(len(x)), "one noise")
    return methods[name](model=model, x=x, target=target, rng=rng, draws=draws)


def test_mean_square_is_variance_plus_squared_mean(
    cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    square, variance, mean = (
        on_the_same_noise(name, cnn, images, target, 6)
        for name in ("smoothgrad_squared", "vargrad", "smoothgrad")
    )
    torch.testing.assert_close(square, variance + mean.square())
    assert (variance > 0).any()


def test_they_are_the_moments_of_the_gradients(cnn: nn.Sequential, images: Tensor, target: Tensor) -> None:
    rng = SampleRng(0, range(5), "one noise")
    noisy = [images + rng.normal(images, 0.15) for _ in range(4)]
    gradients = torch.stack([methods["saliency"](model=cnn, x=each, target=target) for each in noisy])
    square = on_the_same_noise("smoothgrad_squared", cnn, images, target, 4)
    torch.testing.assert_close(square, gradients.square().mean(0))
    variance = on_the_same_noise("vargrad", cnn, images, target, 4)
    torch.testing.assert_close(variance, gradients.var(0, correction=0))


def test_of_a_linear_model(linear: nn.Module, weight: Tensor, x: Tensor, target: Tensor) -> None:
    assert (on_the_same_noise("vargrad", linear, x, target, 3).abs() < 1e-24).all()
    square = on_the_same_noise("smoothgrad_squared", linear, x, target, 3)
    torch.testing.assert_close(square, weight[target].square())


def test_small_variance_of_a_large_gradient_is_not_lost_in_float32(target: Tensor) -> None:
    """Logits ``1000 x + x^2 / 2``: the gradient is ``1000 + x``, its variance that of the noise, .15^2."""

    class Steep(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (1000 * x + x**2 / 2).expand(len(x), 4)

    found = on_the_same_noise("vargrad", Steep(), torch.zeros(5, 1), target, 400)
    assert ((found / 0.15**2 - 1).abs() < 5 * (2 / 400) ** 0.5).all()


@pytest.mark.parametrize(("name", "kind"), [("smoothgrad_squared", "smoothgrad_sq"), ("vargrad", "vargrad")])
def test_tend_to_those_of_captum(
    cnn: nn.Sequential, images: Tensor, target: Tensor, name: str, kind: str
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tunnel = captum.attr.NoiseTunnel(captum.attr.Saliency(cnn))
        other = tunnel.attribute(images, kind, 300, 100, 0.15, target=target, abs=False)
    assert isinstance(other, Tensor)
    found = on_the_same_noise(name, cnn, images, target, 300)
    assert torch.corrcoef(torch.stack([found.flatten(), other.flatten()]))[0, 1] > 0.97
    assert abs(found.sum() / other.sum() - 1) < 0.1


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("vargrad", {"draws": 1}, "'draws' of 'vargrad' must be at least 2"),
        ("smoothgrad_squared", {"draws": 0}, "'draws' of 'smoothgrad_squared' must be at least 1"),
        ("smoothgrad_squared", {"sigma": -1.0}, "'sigma' of 'smoothgrad_squared' must be at least 0"),
    ],
)
def test_settings_that_make_no_sense(
    linear: nn.Module, x: Tensor, target: Tensor, name: str, settings: dict[str, float], message: str
) -> None:
    with pytest.raises(XaiboardError, match=message):
        methods[name](model=linear, x=x, target=target, **settings)
