"""Networks as other people write them: every method that applies is right on them, by closed form or another writing.

The same function is written twice: as people do, and in the plainest way, as a sequence of layers each of its own. The
maps of both must be the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from torch.nn import functional

GRADIENTS = [
    "saliency",
    "input_x_gradient",
    "integrated_gradients[steps=4]",
    "smoothgrad[draws=2]",
    "occlusion",
]
CAMS = ["gradcam", "gradcam_plus_plus", "layercam"]
RELUS = ["guided_backprop", "deconvnet", "guided_gradcam"]
SHAPE = (3, 20, 14)
"""Images that are not square, in RGB."""


@pytest.fixture
def x() -> Tensor:
    return torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def target() -> Tensor:
    return torch.tensor([0, 4, 2, 2])


def seeded(make: Callable[[], Any]) -> Any:  # noqa: ANN401
    """The network with weights, and running statistics, that only the order of its parameters decides."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = make().double().eval()
        for layer in network.modules():
            if (
                isinstance(layer, nn.BatchNorm2d)
                and layer.running_mean is not None
                and layer.running_var is not None
            ):
                layer.running_mean.normal_(0, 0.2)
                layer.running_var.uniform_(0.5, 2)
    return network


def plain() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(), nn.Dropout(), nn.Linear(32, 5),
    )  # fmt: skip


class Functions(nn.Module):
    """:func:`plain` with functions in the place of layers without weights, registered in another order."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.head, self.second, self.norm, self.first = layers[9], layers[4], layers[1], layers[0]

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(torch.relu(self.norm(self.first(x))), 2)
        x = functional.adaptive_avg_pool2d(self.second(x).relu_(), 2).flatten(1)
        return self.head(functional.dropout(x, training=self.training))


class OneReLU(Functions):
    """One ReLU in place, used twice."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__(layers)
        self.act, self.pool = nn.ReLU(inplace=True), nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.act(self.norm(self.first(x))))
        return self.head(functional.adaptive_avg_pool2d(self.act(self.second(x)), 2).flatten(1))


class TwoHeads(nn.Module):
    """Has an auxiliary head, which it uses in training alone."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.features, self.head, self.aux = layers[:8], layers[8:], nn.Conv2d(32, 2, 1).double()

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        return (
            torch.cat([self.head(features), self.aux(features)], 1) if self.training else self.head(features)
        )


class Wrapped(nn.Module):
    """Returns logits in a structure, as Hugging Face's networks do."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=self.layers(pixel_values), hidden_states=None)


class RectifiedConvolution(nn.Conv2d):
    """A subclass whose forward does more than that of its base."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).relu()


def subclassed() -> nn.Module:
    return with_subclass(plain())


def with_subclass(layers: nn.Sequential) -> nn.Module:
    second = RectifiedConvolution(6, 8, 3).to(layers[4].weight).eval()  # pyright: ignore[reportArgumentType, reportCallIssue]
    second.load_state_dict(layers[4].state_dict())
    return nn.Sequential(*list(layers)[:4], second, *list(layers)[6:])


def pools_first() -> nn.Sequential:
    """:func:`plain` with max-pooling before the ReLU, which computes the same: adjacent layers that are not linear."""
    layers = list(plain())
    layers[2], layers[3] = layers[3], layers[2]
    return nn.Sequential(*layers)


WRITINGS: dict[str, Callable[[nn.Sequential], Any]] = {
    "functions": Functions,
    "one ReLU": OneReLU,
    "two heads": TwoHeads,
    "in a structure": Wrapped,
    "compiled": lambda layers: torch.compile(layers, backend="eager"),
    "training": lambda layers: layers.train(),
    "channels last": lambda layers: layers.to(memory_format=torch.channels_last),  # pyright: ignore[reportCallIssue]
    "by torch.fx": torch.fx.symbolic_trace,
}


@pytest.mark.parametrize("method", [*GRADIENTS, *CAMS, *RELUS, "deeplift"])
@pytest.mark.parametrize("writing", WRITINGS)
def test_a_network_has_the_same_map_however_it_is_written(
    writing: str, method: str, x: Tensor, target: Tensor
) -> None:
    network, reference = WRITINGS[writing](seeded(plain)), seeded(plain)
    before = copy.deepcopy(network.state_dict())
    training = network.training
    found = xb.explain(network, method, x, target)
    expected = xb.explain(reference, method, x, target)
    assert expected.abs().max() > 0
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    assert network.training is training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in network.modules())


@pytest.mark.parametrize("method", [*RELUS[:2], *GRADIENTS])
def test_a_subclass_that_rectifies_is_a_convolution_and_a_relu(
    method: str, x: Tensor, target: Tensor
) -> None:
    found = xb.explain(with_subclass(seeded(plain)), method, x, target)
    torch.testing.assert_close(found, xb.explain(seeded(plain), method, x, target))


def change(network: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    return (network(x) - network(torch.zeros_like(x))).gather(1, target[:, None])[:, 0].detach()


class Block(nn.Module):
    """A residual block as in ResNet-18, with its ReLU in place and used twice."""

    def __init__(self, given: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(given, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Sequential(nn.Conv2d(given, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += self.shortcut(x)
        return self.relu(y)


def residual() -> nn.Module:
    """ResNet-18 in small: overlapping max-pooling, residual sums, global average pooling."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1),
        Block(8, 8, 1), Block(8, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5),
    )  # fmt: skip


def depthwise() -> nn.Module:
    """MobileNet-V2 in small: depthwise convolutions, ReLU6, a linear bottleneck with a residual sum."""

    class Inverted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU6(inplace=True),
                nn.Conv2d(24, 24, 3, 1, 1, groups=24, bias=False), nn.BatchNorm2d(24), nn.ReLU6(inplace=True),
                nn.Conv2d(24, 8, 1, bias=False), nn.BatchNorm2d(8),
            )  # fmt: skip

        def forward(self, x: Tensor) -> Tensor:
            return x + self.body(x)

    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(), Inverted(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 5),
    )  # fmt: skip


def adaptive() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveMaxPool2d((4, 3)), nn.Flatten(), nn.Linear(72, 5)
    )


@pytest.mark.parametrize("make", [plain, pools_first, subclassed, residual, depthwise, adaptive])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_deeplift_sums_to_the_change_of_the_logit(
    make: Callable[[], nn.Module], dtype: torch.dtype, x: Tensor, target: Tensor
) -> None:
    network, x = seeded(make).to(dtype), x.to(dtype)
    found = xb.explain(network, "deeplift", x, target).flatten(1)
    tolerance = 1e-9 if dtype == torch.float64 else 1e-4
    assert ((found.sum(1) - change(network, x, target)).abs() <= tolerance * found.abs().sum(1)).all()
    # it is no gradient: the rule has been applied
    other = xb.explain(network, "input_x_gradient", x, target).flatten(1)
    assert (found - other).abs().max() > 0.01 * found.abs().max()


def by_autograd_functions(
    network: nn.Module, x: Tensor, target: Tensor, rule: Callable[..., Tensor]
) -> Tensor:
    """Guided maps by another way: every ``nn.ReLU`` becomes a layer whose gradient is written by hand."""

    class Cut(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, given: Tensor) -> Tensor:
            ctx.save_for_backward(given)  # pyright: ignore[reportAttributeAccessIssue]
            return given.clamp_min(0)

        @staticmethod
        def backward(ctx: object, *outputs: Tensor) -> Tensor:
            return rule(ctx.saved_tensors[0], outputs[0])  # pyright: ignore[reportAttributeAccessIssue]

    class CutLayer(nn.Module):
        def forward(self, given: Tensor) -> Tensor:
            return Cut.apply(given)  # pyright: ignore[reportReturnType]

    network = copy.deepcopy(network)
    for layer in list(network.modules()):
        for name, child in layer.named_children():
            if isinstance(child, nn.ReLU):
                setattr(layer, name, CutLayer())
    x = x.clone().requires_grad_()
    return torch.autograd.grad(network(x).gather(1, target[:, None]).sum(), x)[0]


@pytest.mark.parametrize("make", [plain, residual, pools_first, adaptive])
def test_guided_maps_are_those_of_a_second_implementation(
    make: Callable[[], nn.Module], x: Tensor, target: Tensor
) -> None:
    network = seeded(make)
    guided = by_autograd_functions(network, x, target, lambda given, out: out.clamp_min(0) * (given > 0))
    torch.testing.assert_close(xb.explain(network, "guided_backprop", x, target), guided)
    deconvolved = by_autograd_functions(network, x, target, lambda given, out: out.clamp_min(0))
    torch.testing.assert_close(xb.explain(network, "deconvnet", x, target), deconvolved)


@pytest.mark.parametrize("make", [residual, depthwise, plain])
def test_gradcam_reads_the_last_convolution_that_is_executed(
    make: Callable[[], nn.Module], x: Tensor, target: Tensor
) -> None:
    """Against the map of that convolution by name, and by hand."""
    network = seeded(make)
    last = {residual: "5.shortcut.0", depthwise: "3.body.6", plain: "4"}[make]
    kept: list[Tensor] = []
    handle = network.get_submodule(last).register_forward_hook(lambda layer, given, out: kept.append(out))
    gradient = torch.autograd.grad(network(x).gather(1, target[:, None]).sum(), kept[0])[0]
    handle.remove()
    coarse = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True).relu().detach()
    expected = functional.interpolate(coarse, SHAPE[1:], mode="bilinear").expand_as(x) / 3
    torch.testing.assert_close(xb.explain(network, "gradcam", x, target), expected)
    torch.testing.assert_close(xb.explain(network, f"gradcam[layer={last}]", x, target), expected)


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_050", "vit_tiny_patch16_224"])
def test_networks_of_timm(name: str, target: Tensor, timm: Any) -> None:  # noqa: ANN401
    network = timm.create_model(name, pretrained=False, num_classes=5).eval()
    x = torch.rand(4, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    if name.startswith("vit"):
        with pytest.raises(xb.XaiboardError, match=r"layer=.*reshape="):
            xb.explain(network, "gradcam", x, target)
        assert (
            xb.explain(network, "gradcam", x, target, layer="blocks.11.norm1", reshape="auto").shape
            == x.shape
        )
        return
    found = xb.explain(network, "deeplift", x, target).flatten(1)
    assert ((found.sum(1) - change(network, x, target)).abs() <= 1e-3 * found.abs().sum(1)).all()
    assert (xb.explain(network, "gradcam", x, target) >= 0).all()


def test_gelu_networks_have_gradients_and_no_rules(x: Tensor, target: Tensor) -> None:
    network = seeded(
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(4 * 18 * 12, 5))
    )
    image = x.clone().requires_grad_()
    expected = torch.autograd.grad(network(image).gather(1, target[:, None]).sum(), image)[0]
    torch.testing.assert_close(xb.explain(network, "saliency", x, target), expected)
    assert xb.explain(network, "gradcam", x, target).abs().max() > 0
    for method in (*RELUS, "deeplift", "lrp_epsilon"):
        with pytest.raises(xb.XaiboardError, match=r"no nn.ReLU|no rule for GELU"):
            xb.explain(network, method, x, target)
