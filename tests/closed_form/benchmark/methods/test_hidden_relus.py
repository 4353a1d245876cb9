"""ReLUs that a network computes otherwise than by calling one, beside an ordinary one: found, or the map is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from torch.nn import functional

Activation = Callable[[Tensor], Tensor]

X = torch.rand(3, 1, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGET = torch.tensor([0, 1, 2])


class Net(nn.Module):
    """A ReLU as a layer, and an activation that is a call; a second head, whose activations are another's."""

    def __init__(self, activation: Activation, aside: Activation = torch.relu) -> None:
        super().__init__()
        self.first, self.relu, self.second = nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1)
        self.head, self.activation, self.aside = nn.Linear(32, 3), activation, aside
        generator = torch.Generator().manual_seed(1)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.second(self.relu(self.first(x)))
        self.aside(hidden)
        return self.head(self.activation(hidden).flatten(1))


class Straight(torch.autograd.Function):
    """A ReLU with a gradient of the author's own."""

    @staticmethod
    def forward(ctx: object, given: Tensor) -> Tensor:
        return given.relu()

    @staticmethod
    def backward(ctx: object, *outputs: Tensor) -> Tensor:
        return outputs[0]


def beside_zero(x: Tensor, dim: int = 0) -> Tensor:
    return torch.stack([x, torch.zeros_like(x)], dim)


def zeroed(x: Tensor) -> Tensor:
    changed = x.clone()
    changed[x < 0] = 0
    return changed


def chosen(x: Tensor) -> Tensor:
    return beside_zero(x).gather(0, beside_zero(x).argmax(0, keepdim=True))[0]


scripted = torch.jit.script(functional.relu)

HIDDEN: dict[str, Activation] = {
    "clamp": lambda x: x.clamp(0, torch.inf),
    "clamp by a tensor": lambda x: torch.clamp(x, min=torch.zeros_like(x)),
    "clamp of overflow": lambda x: x.clamp(0, 65504),
    "clamp from above": lambda x: -(-x).clamp(max=0),
    "hardtanh": lambda x: functional.hardtanh(x, 0, torch.inf),
    "fmax": lambda x: torch.fmax(x, torch.zeros_like(x)),
    "maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "minimum": lambda x: -torch.minimum(-x, torch.zeros_like(x)),
    "abs": lambda x: (x + x.abs()) / 2,
    "root of squares": lambda x: (x + (x**2).sqrt()) / 2,
    "power of products": lambda x: (x + (x * x + 1e-30) ** 0.5) / 2,
    "softplus": lambda x: functional.softplus(x, beta=1e30),
    "threshold": lambda x: functional.threshold(x, 0, 0),
    "amax of a stack": lambda x: beside_zero(x).amax(0),
    "amax beside a constant": lambda x: torch.cat([x[None], torch.zeros_like(x)[None]]).amax(0),
    "sort of a stack": lambda x: beside_zero(x).sort(0).values[1],
    "pooling of a stack": lambda x: functional.max_pool1d(beside_zero(x, -1).flatten(0, 2), 2).view_as(x),
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.0),
    "elu": lambda x: functional.elu(x, 0.0),
    "prelu": lambda x: functional.prelu(x, torch.zeros(1, dtype=x.dtype)),
    "product": lambda x: x * (x > 0),
    "detached product": lambda x: (x.detach() > 0).double() * x,
    "masked_fill": lambda x: x.masked_fill(x < 0, 0),
    "index_put": zeroed,
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "gather": chosen,
    "aten": torch.ops.aten.relu.default,
    "vmap": torch.vmap(torch.relu),
    "scripted": scripted,
    "a gradient of its own": Straight.apply,
}  # pyright: ignore[reportAssignmentType]

OTHERS: dict[str, Activation] = {
    "relu6": functional.relu6,
    "hardswish": functional.hardswish,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.1),
    "gelu": functional.gelu,
    "softplus": functional.softplus,
    "a length": lambda x: x / (x[:, :1] ** 2 + x[:, 1:] ** 2 + 1e-6).sqrt(),
    "a small bound": functional.normalize,
    "global maximum": lambda x: x + x.amax((2, 3), keepdim=True) + x.max(2, keepdim=True).values,
    "max-pooling of maps side by side": lambda x: functional.max_pool2d(torch.cat([x, -x], 1), 1)[:, :2],
    "a mask of its own": lambda x: x * (torch.arange(4) > 1),
    "a detached scale": lambda x: x * x.detach().square().mean((1, 2, 3), keepdim=True),
    "a masked attention": lambda x: x.masked_fill(torch.eye(4).bool(), -9).softmax(-1),
    "channels in another order": lambda x: x[:, [1, 0]],
}
"""What is no ReLU, and keeps its gradient."""


@pytest.mark.parametrize("name", HIDDEN)
def test_a_relu_in_other_words_is_never_passed_over(name: str) -> None:
    assert (HIDDEN[name](X - 0.5) == (X - 0.5).relu()).all()
    with pytest.raises(xb.XaiboardError, match=r"cannot be told whether .* is a ReLU.*; write each ReLU as"):
        xb.explain(Net(HIDDEN[name]), "guided_backprop", X, TARGET)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_relu_keeps_its_gradient(name: str) -> None:
    """Walked back by hand: torch's gradient down to the ReLU, whose own is cut."""
    net = Net(OTHERS[name])
    before = net.first(X).detach().requires_grad_()
    hidden = before.relu().detach().requires_grad_()
    logits = net.head(OTHERS[name](net.second(hidden)).flatten(1))
    gradient = torch.autograd.grad(logits.gather(1, TARGET[:, None]).sum(), hidden)[0]
    guided = gradient.clamp_min(0) * (before > 0)
    wanted = functional.conv_transpose2d(guided, net.first.weight).detach()
    torch.testing.assert_close(xb.explain(net, "guided_backprop", X, TARGET), wanted)


def test_the_sentence_names_the_function_and_its_layer() -> None:
    with pytest.raises(xb.XaiboardError, match=r"whether 'hardtanh' in Hardtanh '0.1' is a ReLU"):
        layers = nn.Sequential(nn.Sequential(nn.ReLU(), nn.Hardtanh(0, 1e9)), nn.Flatten())
        xb.explain(layers, "deconvnet", X, TARGET)


def test_what_the_logits_do_not_depend_on_is_no_matter() -> None:
    found, wanted = (
        xb.explain(Net(torch.relu, aside), "guided_backprop", X, TARGET)
        for aside in (HIDDEN["maximum"], torch.relu)
    )
    assert torch.equal(found, wanted)

    class Aside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            self.relu(x)
            return x.flatten(1)

    with pytest.raises(xb.XaiboardError, match=r"no nn\.ReLU, so that the result would be the plain"):
        xb.explain(Aside(), "guided_backprop", X, TARGET)
