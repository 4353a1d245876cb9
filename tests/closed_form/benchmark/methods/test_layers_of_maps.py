"""Class activation maps of a layer by name, of tokens, and what is refused because it has no map."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate
from xaiboard.benchmark.methods.shared.cam import features_and_gradients
from xaiboard.benchmark.methods.shared.tokens import as_map

CAMS = ["gradcam", "gradcam_plus_plus", "layercam", "guided_gradcam"]


@pytest.fixture
def x() -> Tensor:
    return torch.rand(3, 1, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def target() -> Tensor:
    return torch.tensor([0, 3, 2])


class Transformer(nn.Module):
    """Patches of 4 x 4 pixels as tokens, a class token, and two layers."""

    def __init__(self, extra: int = 1) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, 8, 4, 4)
        self.extra = nn.Parameter(torch.ones(1, extra, 8))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True) for _ in range(2)
        )
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        tokens = torch.cat([self.extra.expand(len(x), -1, -1), self.embed(x).flatten(2).mT], 1)
        for layer in self.layers:
            tokens = layer(tokens)
        return self.head(tokens.mean(1))


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make().double().eval()


@pytest.mark.parametrize("name", CAMS)
def test_a_transformer_asks_for_layer_and_reshape(name: str, x: Tensor, target: Tensor) -> None:
    with pytest.raises(xb.XaiboardError, match=r"'layers.0.self_attn' works on tokens.* layer=.* reshape="):
        xb.explain(seeded(Transformer), name, x, target)
    with pytest.raises(
        xb.XaiboardError, match=r"'layers.1' gives \(7, 8\) an image, which is no map; .*reshape="
    ):
        xb.explain(seeded(Transformer), name, x, target, layer="layers.1")


@pytest.mark.parametrize("reshape", ["auto", "3x2"])
@pytest.mark.parametrize("extra", [0, 1, 5])
def test_tokens_are_a_map_of_their_patches(reshape: str, extra: int, x: Tensor, target: Tensor) -> None:
    """Grad-CAM by hand on the tokens of the first layer, those in front left out."""
    model = seeded(lambda: Transformer(extra))
    kept: list[Tensor] = []

    def keep(layer: nn.Module, given: tuple[Tensor], out: Tensor) -> None:
        kept.append(out)

    handle = model.get_submodule("layers.0").register_forward_hook(keep)
    gradient = torch.autograd.grad(model(x.requires_grad_()).gather(1, target[:, None]).sum(), kept[0])[0]
    handle.remove()
    patches, gradient = kept[0][:, extra:].detach(), gradient[:, extra:]
    coarse = (gradient.mean(1, keepdim=True) * patches).sum(2).relu().view(3, 1, 3, 2)
    expected = interpolate(coarse, (12, 8), mode="bilinear")
    found = xb.explain(model, "gradcam", x.detach(), target, layer="layers.0", reshape=reshape)
    torch.testing.assert_close(found, expected)


def test_what_is_no_grid_of_tokens_is_refused(x: Tensor) -> None:
    tokens = torch.rand(3, 7, 5)
    assert as_map(tokens, x, "it", "auto")[0, :, 1, 0].tolist() == tokens[0, 3].tolist()
    assert as_map(tokens, x, "it", "1x7").shape == (3, 5, 1, 7)
    last = torch.rand(3, 3, 2, 5)
    assert torch.equal(as_map(last, x, "it", "auto"), last.permute(0, 3, 1, 2))
    for reshape in ("4x2", "0x3", "square", "3", "-1x2"):
        with pytest.raises(xb.XaiboardError, match=f"at most the 7 tokens of layer 'it'.*got '{reshape}'"):
            as_map(tokens, x, "it", reshape)
    with pytest.raises(
        xb.XaiboardError, match="the 7 tokens of layer 'it' are no square patches of 13 x 5 pixels"
    ):
        as_map(tokens, torch.rand(3, 1, 13, 5), "it", "auto")
    with pytest.raises(xb.XaiboardError, match=r"'it' gives \(5,\) an image, which are no tokens"):
        as_map(torch.rand(3, 5), x, "it", "auto")


class Late(nn.Module):
    """Two convolutions, the second of which is registered first; the last one called by whatever is given."""

    def __init__(self, last: Callable[..., Tensor] | None = None) -> None:
        super().__init__()
        self.second, self.first, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(1, 3, 3), last
        self.head = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x).relu()).relu()
        x = x if self.last is None else self.last(x, self.second.weight.mean(1, keepdim=True), groups=4)
        return self.head(x.mean((2, 3)))


def test_the_last_layer_is_the_last_that_is_executed(x: Tensor, target: Tensor) -> None:
    model = seeded(Late)
    by_name = xb.explain(model, "gradcam", x, target, layer="second")
    assert torch.equal(xb.explain(model, "gradcam", x, target), by_name)
    assert not torch.allclose(by_name, xb.explain(model, "gradcam", x, target, layer="first"))


def test_a_convolution_that_no_layer_makes_is_not_passed_over(x: Tensor, target: Tensor) -> None:
    model = seeded(lambda: Late(conv2d))
    with pytest.raises(xb.XaiboardError, match=r"last convolution is called as a function.* layer= .*second"):
        xb.explain(model, "gradcam", x, target)
    assert xb.explain(model, "gradcam", x, target, layer="second").shape == x.shape


@pytest.mark.parametrize("name", CAMS)
def test_a_head_behind_global_pooling_has_no_map(name: str, x: Tensor, target: Tensor) -> None:
    """The convolution before the pooling is read; by name the other one is refused, and the sentence names this."""
    model = seeded(
        lambda: nn.Sequential(
            nn.Conv2d(1, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(5, 4, 1), nn.Flatten()
        )
    )
    before = xb.explain(model, name, x, target, layer="0")
    assert before.flatten(1).std(1).max() > 0
    assert torch.equal(xb.explain(model, name, x, target), before)
    with pytest.raises(
        xb.XaiboardError, match=r"map of layer '3' has 1 x 1 pixels; give layer= .* such as 1, 0"
    ):
        xb.explain(model, name, x, target, layer="3")
    flat = nn.Sequential(
        nn.Flatten(), nn.Unflatten(1, (96, 1, 1)), nn.Conv2d(96, 4, 1), nn.Flatten()
    ).double()
    with pytest.raises(xb.XaiboardError, match="no convolution has a map above 1 x 1"):
        xb.explain(flat, name, x, target)


def test_layers_that_cannot_be_read_are_refused(x: Tensor, target: Tensor) -> None:
    class Unused(Late):
        def __init__(self) -> None:
            super().__init__()
            self.aside, self.never = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 3)

        def forward(self, x: Tensor) -> Tensor:
            self.aside(x)
            return super().forward(x)

    model = seeded(Unused)
    for layer, said in {
        "nowhere": "layer 'nowhere' does not exist; give layer= .* such as second, first, aside",
        "never": "layer 'never' is not executed",
        "aside": "'aside' is not one map an image that the logits depend on",
        "head": r"'head' gives \(4,\) an image, which is no map",
    }.items():
        with pytest.raises(xb.XaiboardError, match=said):
            xb.explain(model, "gradcam", x, target, layer=layer)


def test_of_a_layer_that_is_used_twice_the_last_call_is_read(x: Tensor, target: Tensor) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(1, 1, 3, padding=1), nn.Linear(96, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.conv(self.conv(x).relu()).flatten(1))

    model = seeded(Twice)
    features, gradients = features_and_gradients(model, x, target)
    conv, head = model.get_submodule("conv"), model.get_submodule("head")
    torch.testing.assert_close(features, conv(conv(x).relu()).detach())
    weight = head.weight[target]  # pyright: ignore[reportIndexIssue]
    torch.testing.assert_close(gradients, weight.detach().view_as(gradients))
