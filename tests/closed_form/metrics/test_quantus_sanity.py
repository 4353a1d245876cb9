"""Sanity checks and completeness against Quantus, given the same networks and classes, with the differences shown."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from xaiboard.metrics.shared.randomised import fully_randomised, randomised

quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
pytestmark = pytest.mark.filterwarnings("ignore")
Measure = Callable[..., dict[str, Tensor]]
PLAIN = {"abs": False, "normalise": False, "disable_warnings": True}


@pytest.fixture
def net() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(49, 16), nn.Tanh(), nn.Linear(16, 2)).eval()


@pytest.fixture
def x() -> Tensor:
    return torch.rand(5, 1, 7, 7, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def target() -> Tensor:
    return torch.arange(5) % 2


def gradient(net: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    return torch.autograd.grad(net(x).gather(1, target[:, None]).sum(), x)[0]


def of_quantus(
    metric: Callable, net: nn.Module, x: Tensor, target: Tensor, networks: Iterator[nn.Module]
) -> object:
    """The metric's scores, where each of its own random networks gives way to the next of ``networks``."""

    def explain(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **_: object) -> np.ndarray:
        used = net if model is net else next(networks)
        return gradient(used, torch.as_tensor(inputs).float(), torch.as_tensor(targets)).numpy()

    a = gradient(net, x, target)
    given = {"x_batch": x.numpy(), "y_batch": target.numpy(), "a_batch": a.numpy()}
    return metric(model=net, **given, explain_func=explain, device="cpu", batch_size=5)


@pytest.mark.parametrize("order", ["top_down", "bottom_up", "independent"])
def test_mprt_by_layer_is_that_of_quantus(
    measure: Measure, net: nn.Sequential, x: Tensor, target: Tensor, order: str
) -> None:
    spearman = quantus.similarity_func.correlation_spearman
    metric = quantus.MPRT(layer_order=order, similarity_func=spearman, **PLAIN)
    other = of_quantus(metric, net, x, target, randomised(net, 0, order))  # type: ignore[arg-type]
    assert isinstance(other, dict)

    def explain(z: Tensor, model: nn.Module) -> Tensor:
        return gradient(model, z, target)

    found = measure(
        "mprt", model=net, explain=explain, x=x, attribution=gradient(net, x, target), order=order
    )
    layers = ["3", "1"] if order == "top_down" else ["1", "3"]
    curve = torch.tensor(np.stack([other[name] for name in ("original", *layers)], 1)).float()
    torch.testing.assert_close(found["curve"], curve, atol=1e-3, rtol=0)  # values 1e-5 apart tie here


def test_the_mean_of_quantus_counts_the_intact_network(
    measure: Measure, net: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    """It leaves out a key ``orig``, and the key is ``original``: the fewer layers, the nearer to 1."""
    spearman = quantus.similarity_func.correlation_spearman
    metric = quantus.MPRT(
        layer_order="bottom_up", similarity_func=spearman, return_average_correlation=True, **PLAIN
    )
    other = of_quantus(metric, net, x, target, randomised(net, 0, "bottom_up"))
    found = measure(
        "mprt",
        model=net,
        explain=lambda z, model: gradient(model, z, target),
        x=x,
        attribution=gradient(net, x, target),
        order="bottom_up",
    )
    torch.testing.assert_close(torch.tensor(other).float(), (1 + 2 * found[""]) / 3, atol=1e-3, rtol=0)


def test_quantus_leaves_layers_alone_that_cannot_reset_themselves() -> None:
    """A layer of one's own, whose weights are all that is learned: nothing is drawn, here it is."""

    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.linspace(1, 2, 49))

        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1) * self.weight

    net = nn.Sequential(Scale()).eval()
    wrapped = quantus.helpers.model.pytorch_model.PyTorchModel(net)
    assert list(wrapped.get_random_layer_generator()) == []
    old, new = net.get_parameter("0.weight"), fully_randomised(net, 0).get_parameter("0.weight")
    assert old.ne(new).all()


def test_emprt_is_that_of_quantus(measure: Measure, net: nn.Sequential, x: Tensor, target: Tensor) -> None:
    metric = quantus.EfficientMPRT(**PLAIN)
    other = of_quantus(metric, net, x, target, iter([fully_randomised(net, 0)]))
    found = measure(
        "emprt",
        model=net,
        explain=lambda z, model: gradient(model, z, target),
        x=x,
        attribution=gradient(net, x, target),
    )[""][0]
    torch.testing.assert_close(found, torch.tensor(np.array(other)).float(), atol=0.02, rtol=0)  # bins' edges


def test_random_logit_is_that_of_quantus_where_there_is_one_other_class(
    measure: Measure, net: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    """Of several it draws one for each place in the batch, always the same seed; here the run's seed counts."""
    spearman = quantus.similarity_func.correlation_spearman
    metric = quantus.RandomLogit(num_classes=2, similarity_func=spearman, **PLAIN)
    other = of_quantus(metric, net, x, target, iter(()))
    found = measure(
        "random_logit",
        explain=lambda z, target: gradient(net, z, target),
        x=x,
        target=target,
        logits=net(x).detach(),
        attribution=gradient(net, x, target),
    )[""]
    torch.testing.assert_close(found, torch.tensor(np.array(other)).float(), atol=1e-3, rtol=0)


def test_completeness_of_quantus_is_equality_of_floats(measure: Measure, x: Tensor, target: Tensor) -> None:
    """Weight times input of a linear model: complete to 1e-6 here, and false there but for lucky roundings."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        linear = nn.Sequential(nn.Flatten(), nn.Linear(49, 2)).eval()
    a = gradient(linear, x, target) * x
    metric = quantus.Completeness(**PLAIN)
    given = {"x_batch": x.numpy(), "y_batch": target.numpy(), "a_batch": a.numpy()}
    equal = metric(model=linear, **given, softmax=False, device="cpu")
    score, _ = measure(
        "completeness",
        model=linear,
        x=x,
        target=target,
        logits=linear(x).detach(),
        attribution=a,
        reference=None,
    )[""]
    assert not all(equal)
    assert score.max() < 1e-5
