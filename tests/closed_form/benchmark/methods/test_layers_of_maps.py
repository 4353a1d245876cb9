"""Class activation maps of a layer by name, of tokens, and what is refused because it has no map."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate
from xaiboard.benchmark.methods.shared.cam import features_and_gradients
from xaiboard.benchmark.methods.shared.channel_axis import channel_axis
from xaiboard.benchmark.methods.shared.tokens import grid_of
from xaiboard.benchmark.subjects.prepared import Prepared
from xaiboard.benchmark.toolkit.preprocessing import Preprocessing

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


@pytest.mark.parametrize(
    ("reshape", "extra"), [("auto", 0), ("auto", 1), ("auto", 5), ("3x2", 0), ("3x2", 1)]
)
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


def test_patches_that_the_logits_do_not_read_are_no_map(x: Tensor, target: Tensor) -> None:
    """The class token alone is read behind the last layer: its patches' gradient is zero everywhere."""

    class OfClassToken(Transformer):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Sequential(Take(), nn.Linear(8, 4))

        def forward(self, x: Tensor) -> Tensor:
            tokens = torch.cat([self.extra.expand(len(x), -1, -1), self.embed(x).flatten(2).mT], 1)
            return self.head(self.layers[1](self.layers[0](tokens)))

    class Take(nn.Module):
        def forward(self, tokens: Tensor) -> Tensor:
            return tokens[:, 0]

    model = seeded(OfClassToken)
    with pytest.raises(
        xb.XaiboardError, match=r"tokens of layer 'layers\.1' .* alone; give layer= an earlier"
    ):
        xb.explain(model, "gradcam", x, target, layer="layers.1", reshape="auto")
    assert xb.explain(model, "gradcam", x, target, layer="layers.0", reshape="auto").any()


def as_map(output: Tensor, x: Tensor, reshape: str) -> Tensor:
    return grid_of(output, (x.shape[2], x.shape[3]), "it", reshape).map_of(output)


def test_what_is_no_grid_of_tokens_is_refused(x: Tensor) -> None:
    tokens = torch.rand(3, 7, 5)
    for reshape in ("auto", "3x2"):
        assert as_map(tokens, x, reshape)[0, :, 1, 0].tolist() == tokens[0, 3].tolist()
    assert as_map(tokens, x, "1x7").shape == (3, 5, 1, 7)
    for reshape in ("4x2", "3x3", "8x1"):
        with pytest.raises(
            xb.XaiboardError,
            match=rf"'it' gives \(7, 5\) an image, which reshape={reshape} does not fit on 12 x 8",
        ):
            as_map(tokens, x, reshape)
    for reshape in ("0x3", "square", "3", "-1x2"):
        with pytest.raises(xb.XaiboardError, match=f"must be auto, or rows x columns.*; got '{reshape}'"):
            as_map(tokens, x, reshape)
    with pytest.raises(xb.XaiboardError, match="which reshape=1x5 does not fit on 12 x 8 pixels"):
        as_map(
            torch.rand(3, 6, 9), x, "1x5"
        )  # its six tokens are those of square patches: none is of a class
    with pytest.raises(xb.XaiboardError, match="which reshape=auto does not fit on 13 x 5 pixels"):
        as_map(tokens, torch.rand(3, 1, 13, 5), "auto")
    with pytest.raises(xb.XaiboardError, match="which reshape=auto does not fit on 50 x 50 pixels"):
        as_map(torch.rand(3, 10, 3), torch.rand(3, 1, 50, 50), "auto")  # not 4 patches behind 6 other tokens
    with pytest.raises(xb.XaiboardError, match=r"'it' gives \(5,\) an image, which is no map"):
        as_map(torch.rand(3, 5), x, "auto")


def test_of_what_does_not_tell_its_channels_the_map_must_be_given(x: Tensor) -> None:
    """Made of nothing that has channels: rows and columns say which axes they are, if one way alone fits."""
    last, square = torch.rand(3, 3, 2, 5), torch.rand(3, 4, 4, 4)
    assert torch.equal(as_map(last, x, "3x2"), last.movedim(3, 1))
    assert torch.equal(as_map(last, x, "2x5"), last)
    for output, reshape in ((last, ""), (last, "auto"), (square, "4x4"), (square[0], "2x2")):
        with pytest.raises(
            xb.XaiboardError, match="it cannot be told which axis has the channels; give another"
        ):
            as_map(output, x, reshape)


class Hybrid(nn.Module):
    """A convolution; layers on maps with channels last, as in Swin and ConvNeXt; and channels first again."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm, self.mix = nn.Conv2d(1, 3, 4, 4), nn.LayerNorm(3), nn.Linear(3, 3)
        self.last, self.first, self.tokens, self.flat = (nn.Identity() for _ in range(4))
        self.shuffled, self.attention, self.head = nn.Identity(), nn.Identity(), nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        last = self.embed(x).permute(0, 2, 3, 1)
        last = self.last(last + self.mix(self.norm(last)).roll(1, 1))
        tokens = self.tokens(last.flatten(1, 2))
        weights = self.attention((tokens @ tokens.mT).softmax(-1)[:, None].expand(-1, 3, -1, -1))
        tokens = tokens + weights[:, 0] @ tokens
        first = self.first((tokens.unflatten(1, (3, 3)) + last).permute(0, -1, -3, -2))
        shuffled = self.shuffled(first.unflatten(1, (3, 1)).transpose(1, 2).flatten(1, 2))
        return self.head(self.flat(shuffled.flatten(2)).mean(2))


@pytest.mark.parametrize(
    ("layer", "channels", "reshape"),
    [
        ("embed", 1, ""), ("embed", 1, "3x3"), ("first", 1, ""), ("first", 1, "auto"), ("shuffled", 1, ""),
        ("norm", 3, ""), ("mix", 3, ""), ("last", 3, ""), ("last", 3, "auto"), ("last", 3, "3x3"),
        ("tokens", 2, "auto"), ("flat", 1, "auto"), ("flat", 1, "3x3"),
    ],
)  # fmt: skip
def test_the_axis_of_the_channels_is_that_of_the_layer(
    layer: str, channels: int, reshape: str, target: Tensor
) -> None:
    """All sizes are three, so that nothing but the way in which they were computed tells the axes apart."""
    model = seeded(Hybrid)
    x = torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    kept: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Tensor], out: Tensor) -> None:
        kept.append(out)

    handle = model.get_submodule(layer).register_forward_hook(keep)
    gradient = torch.autograd.grad(model(x).gather(1, target[:, None]).sum(), kept[0])[0]
    handle.remove()
    both = (each.detach().movedim(channels, 1).reshape(3, 3, 3, 3) for each in (kept[0], gradient))
    for found, wanted in zip(features_and_gradients(model, x, target, layer, reshape), both, strict=True):
        torch.testing.assert_close(found, wanted)
    for wrong in ("4x3", "2x3"):
        with pytest.raises(xb.XaiboardError, match=f"which reshape={wrong} does not fit on 12 x 12 pixels"):
            features_and_gradients(model, x, target, layer, wrong)


def test_layers_on_the_last_axis_tell_it() -> None:
    given = torch.rand(2, 4, 4, 4, requires_grad=True)
    known = [channel_axis(layer(given).grad_fn, 4) for layer in (nn.Linear(4, 4), nn.LayerNorm(4))]
    assert known == [3, 3]
    assert channel_axis(nn.LayerNorm([4, 4])(given).grad_fn, 4) is None


def test_weights_of_attention_are_no_map_of_features(target: Tensor) -> None:
    with pytest.raises(
        xb.XaiboardError, match=r"'attention' gives \(3, 9, 9\) an image, and it cannot be told"
    ):
        features_and_gradients(seeded(Hybrid), torch.rand(3, 1, 12, 12).double(), target, "attention")


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


class Heads(nn.Module):
    """Two heads, which may share a convolution. The logits are those of one; the other is run for nothing, or not."""

    def __init__(self, chosen: int, shared: bool) -> None:
        super().__init__()
        self.trunk, self.chosen, self.run = nn.Conv2d(1, 3, 3), chosen, (0, 1)
        self.heads = nn.ModuleList([nn.Conv2d(3, 4, 3) for _ in range(2 - shared)] * (1 + shared))

    def forward(self, x: Tensor) -> Tensor:
        features = self.trunk(x).relu()
        logits = {head: self.heads[head](features * (head + 1)).relu().mean((2, 3)) for head in self.run}
        return logits[self.chosen]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("name", CAMS)
def test_the_last_layer_is_that_of_the_head_whose_logits_are_returned(
    name: str, shared: bool, x: Tensor, target: Tensor
) -> None:
    for chosen in (0, 1):
        model = seeded(lambda chosen=chosen: Heads(chosen, shared))
        layer = f"heads.{0 if shared else chosen}"
        found = [xb.explain(model, name, x, target), xb.explain(model, name, x, target, layer=layer)]
        model.run = (chosen,)  # pyright: ignore[reportArgumentType]
        wanted = xb.explain(model, name, x, target)
        assert wanted.abs().max() > 0
        assert all(torch.equal(each, wanted) for each in found)
    if not shared:
        model.run = (0, 1)  # pyright: ignore[reportArgumentType]
        with pytest.raises(
            xb.XaiboardError, match=r"'heads\.0' is not one map .*; give layer= .* heads\.1, trunk$"
        ):
            xb.explain(model, name, x, target, layer="heads.0")


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
        "secund": "layer 'secund' does not exist; give layer= one that does, such as second$",
        "nowhere": "layer 'nowhere' does not exist; give layer= .* such as second, first$",
        "never": "layer 'never' is not executed",
        "aside": "'aside' is not one map an image that the logits depend on",
        "head": r"'head' gives \(4,\) an image, which is no map",
    }.items():
        with pytest.raises(xb.XaiboardError, match=said):
            xb.explain(model, "gradcam", x, target, layer=layer)


def test_a_layer_of_a_prepared_network_has_the_name_that_it_has_in_its_library(
    x: Tensor, target: Tensor
) -> None:
    model = Prepared(seeded(Late), Preprocessing((12, 8), 12, (0.5,), (0.5,))).double().eval()
    expected = xb.explain(model, "gradcam", x, target, layer="network.first")
    assert torch.equal(xb.explain(model, "gradcam", x, target, layer="first"), expected)
    with pytest.raises(xb.XaiboardError, match=r"give layer= one that does, such as first$"):
        xb.explain(model, "gradcam", x, target, layer="frist")


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
