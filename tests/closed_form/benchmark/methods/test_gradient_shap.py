"""Expected gradients: closed forms, and captum with many draws."""

from collections.abc import Callable

import captum.attr
import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, methods
from xaiboard.benchmark.toolkit.data import Reference

DRAWS = 400


def one_baseline(x: Tensor, value: float) -> Reference:
    images = torch.full((3, *x.shape[1:]), value).to(x)
    return Reference(images[0], images)


def test_with_one_baseline_a_linear_model_gives_weight_times_displacement(
    attribute: Callable[..., Tensor], linear: nn.Module, weight: Tensor, x: Tensor, target: Tensor
) -> None:
    found = attribute("gradient_shap", linear, x, target, draws=3, reference=one_baseline(x, 0.2))
    torch.testing.assert_close(found, weight[target] * (x - 0.2))


def test_of_a_linear_model_it_is_the_mean_over_baselines(
    attribute: Callable[..., Tensor], linear: nn.Module, weight: Tensor, x: Tensor, target: Tensor
) -> None:
    """Each draw is ``w (x - b)``: the mean over n draws is within five standard errors of ``w (x - mean b)``."""
    samples = torch.rand(6, *x.shape[1:], generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    reference = Reference(samples.mean(0), samples)
    found = attribute("gradient_shap", linear, x, target, draws=DRAWS, reference=reference)
    error = weight[target].abs() * samples.std(0, correction=0) / DRAWS**0.5
    assert ((found - weight[target] * (x - samples.mean(0))).abs() < 5 * error).all()


def test_points_are_uniform_on_the_way(attribute: Callable[..., Tensor], target: Tensor) -> None:
    """Logit ``x^3`` against 0 gives ``3 (a x)^2 x``, with mean ``x^3`` and deviation ``x^3 sqrt(4/5)``."""

    class Cube(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x**3 @ torch.ones(2, 4, dtype=x.dtype)

    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64).expand(5, 2)
    found = attribute("gradient_shap", Cube(), x, target, draws=DRAWS, reference=one_baseline(x, 0.0))
    assert ((found / x**3 - 1).abs() < 5 * (0.8 / DRAWS) ** 0.5).all()
    assert len({round(float(value), 9) for value in found[:, 0]}) == 5  # each sample has its own points


def test_is_complete_in_expectation_and_that_of_captum(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    samples = torch.rand(6, 3, 12, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    reference = Reference(samples.mean(0), samples)
    found = attribute("gradient_shap", cnn, images, target, draws=DRAWS, reference=reference)
    with torch.no_grad():
        change = cnn(images).gather(1, target[:, None])[:, 0] - cnn(samples)[:, target].mean(0)
    assert (found.flatten(1).sum(1) - change).abs().max() < 0.1 * change.abs().max()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        other = captum.attr.GradientShap(cnn).attribute(images, samples, DRAWS, target=target).detach()
    # the two estimates differ by their sampling errors: the correlation of unbiased estimates is high
    both = torch.stack([found.flatten(), other.flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.98
    assert (found.flatten(1).norm(dim=1) / other.flatten(1).norm(dim=1) - 1).abs().max() < 0.1


def test_noise_has_the_deviation_that_is_asked_for(
    attribute: Callable[..., Tensor], linear: nn.Module, weight: Tensor, x: Tensor, target: Tensor
) -> None:
    """With one draw against a fixed baseline, what is left after ``w (x - b)`` is ``w`` times the noise."""
    found = attribute("gradient_shap", linear, x, target, draws=1, sigma=0.5, reference=one_baseline(x, 0.0))
    noise = found / weight[target] - x
    assert abs(noise.std() - 0.5) < 5 * 0.5 / (2 * noise.numel()) ** 0.5


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (None, "needs the data set's background images"),
        (Reference(torch.zeros(2), torch.zeros(3, 2)), r"shaped \("),
    ],
)
def test_needs_background_images_of_its_size(
    linear: nn.Module, x: Tensor, target: Tensor, reference: Reference | None, message: str
) -> None:
    with pytest.raises(XaiboardError, match=f"'gradient_shap' needs .*{message}" if reference else message):
        methods["gradient_shap"](model=linear, x=x, target=target, reference=reference)
