"""Attention rollout and relevance, on small transformers that keep their own attention weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Literal

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from torch.nn import functional
from xaiboard.benchmark import contract
from xaiboard.benchmark.contract import checks_of
from xaiboard.benchmark.subjects.prepared import Prepared
from xaiboard.benchmark.toolkit.preprocessing import Preprocessing

METHODS = ("attention_rollout", "attention_relevance")
Written = Literal["out", "fused", "layer"]

PATCH, GRID, WIDTH, HEADS, DEPTH = 2, 4, 6, 2, 3


class Attention(nn.Module):
    """Self-attention as it is written out, by torch's fused function, or by torch's layer."""

    def __init__(self, *, written: Written = "out") -> None:
        super().__init__()
        self.mix, self.out, self.written = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH), written
        self.kept: Tensor | None = None

    def layer(self) -> nn.MultiheadAttention:
        """Torch's layer with the same weights."""
        layer = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).to(self.mix.weight)  # pyright: ignore[reportArgumentType, reportCallIssue]
        names = {"in_proj_": self.mix, "out_proj.": self.out}
        layer.load_state_dict(
            {before + name: value for before, of in names.items() for name, value in of.state_dict().items()}
        )
        return layer

    def forward(self, x: Tensor) -> Tensor:
        if self.written == "layer":
            return x + self.layer()(x, x, x, need_weights=False)[0]
        query, key, value = self.mix(x).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        if self.written == "fused":
            mixed = functional.scaled_dot_product_attention(query, key, value)
        else:
            weights = (query @ key.transpose(2, 3) / query.shape[3] ** 0.5).softmax(dim=-1)
            if torch.is_grad_enabled():
                self.kept = weights
            mixed = weights @ value
        return x + self.out(mixed.transpose(1, 2).flatten(2))


class Transformer(nn.Module):
    """Patches, and a class token if there is one, through layers of attention to logits."""

    def __init__(self, *, written: Written = "out", class_token: bool = True, channels: int = 1) -> None:
        super().__init__()
        self.embed = nn.Conv2d(channels, WIDTH, PATCH, PATCH)
        self.layers = nn.Sequential(*(Attention(written=written) for _ in range(DEPTH)))
        self.head, self.token = (
            nn.Linear(WIDTH, 5),
            nn.Parameter(torch.ones(1, 1, WIDTH)) if class_token else None,
        )

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embed(x).flatten(2).mT
        if self.token is not None:
            tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1)
        tokens = self.layers(tokens)
        return self.head(tokens.mean(1) if self.token is None else tokens[:, 0])


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make().double().eval()


@pytest.fixture
def x() -> Tensor:
    shape = (3, 1, PATCH * GRID, PATCH * GRID)
    return torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def target() -> Tensor:
    return torch.tensor([0, 3, 1])


def by_hand(network: Transformer, image: Tensor, target: int, method: str) -> list[list[float]]:
    """The relation of each token of the last layer to each of the first, for one image, entry by entry."""
    logit = network(image[None])[0, target]
    weights = [
        layer.kept for layer in network.layers if isinstance(layer, Attention) and layer.kept is not None
    ]
    gradients = torch.autograd.grad(logit, weights)
    weights = [kept.detach() for kept in weights]
    count = weights[0].shape[-1]
    related = [[float(i == j) for j in range(count)] for i in range(count)]
    for kept, gradient in zip(weights, gradients, strict=True):
        mixed = [[0.0] * count for _ in range(count)]
        for head, i, j in product(range(HEADS), range(count), range(count)):
            weight = float(kept[0, head, i, j])
            slope = float(gradient[0, head, i, j])
            mixed[i][j] += (weight if method == "attention_rollout" else max(0, weight * slope)) / HEADS
        passed = [
            [sum(mixed[i][k] * related[k][j] for k in range(count)) + related[i][j] for j in range(count)]
            for i in range(count)
        ]
        share = 2 if method == "attention_rollout" else 1
        related = [[value / share for value in row] for row in passed]
    return related


@pytest.mark.parametrize("method", METHODS)
def test_the_grid_is_that_of_the_images_inside_the_network(method: str, x: Tensor, target: Tensor) -> None:
    """Images of 8 pixels are resized to 10: 5 x 5 patches and a class token, which are no grid on 8 pixels."""
    preprocessing = Preprocessing((10, 10), 10, (0.5,), (0.5,))
    model = seeded(lambda: Prepared(Transformer(), preprocessing))
    expected = xb.explain(model, method, x, target, reshape="5x5")
    torch.testing.assert_close(xb.explain(model, method, x, target), expected)


@pytest.mark.parametrize("written", ["out", "fused", "layer"])
@pytest.mark.parametrize("class_token", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_agrees_with_the_definition_entry_by_entry(
    method: str, class_token: bool, written: Written, x: Tensor, target: Tensor
) -> None:
    """The row of the class token, or the mean of all rows where tokens are averaged."""
    written_out = seeded(lambda: Transformer(class_token=class_token))
    network = seeded(lambda: Transformer(class_token=class_token, written=written))
    assert isinstance(written_out, Transformer)
    coarse = []
    for image, wanted in zip(x, target.tolist(), strict=True):
        related = torch.tensor(by_hand(written_out, image, wanted, method), dtype=torch.float64)
        read = related[0, 1:] if class_token else related.mean(0)
        coarse.append(read.view(1, GRID, GRID))
    expected = functional.interpolate(torch.stack(coarse), x.shape[2:], mode="bilinear")
    found = xb.explain(network, method, x, target)
    torch.testing.assert_close(found, expected)
    assert (found > 0).all()


def test_rollout_is_a_share_and_does_not_depend_on_the_class(x: Tensor, target: Tensor) -> None:
    """Rows of the product sum to one: without a class token the patches have all of it."""
    network = seeded(lambda: Transformer(class_token=False))
    maps = [xb.explain(network, "attention_rollout", x, each) for each in (target, target.flip(0))]
    assert torch.equal(*maps)
    shares = functional.interpolate(maps[0], (GRID, GRID), mode="area").sum((1, 2, 3))
    torch.testing.assert_close(shares, torch.ones_like(shares), rtol=0.02, atol=0)
    one, other = (xb.explain(network, "attention_relevance", x, each) for each in (target, target.flip(0)))
    assert not torch.allclose(one, other)


class Windows(Attention):
    """Attends within halves of the tokens."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.unflatten(1, (2, -1)).flatten(0, 1)).unflatten(0, (-1, 2)).flatten(1, 2)


class Pooling(nn.Module):
    """One query attends to all tokens, as in heads that pool by attention."""

    def forward(self, x: Tensor) -> Tensor:
        tokens = x[:, None]
        return functional.scaled_dot_product_attention(tokens[:, :, :1], tokens, tokens)[:, 0]


def with_layers(*layers: nn.Module) -> nn.Module:
    network = Transformer(class_token=False)
    network.layers = nn.Sequential(*layers)
    return network


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "convolution": (
        lambda: nn.Sequential(nn.Conv2d(1, 4, 8), nn.Flatten()),
        "the model has no self-attention whose weights can be read",
    ),
    "windows": (
        lambda: with_layers(Windows(written="fused"), Windows()),
        "not all tokens of an image attend to each other",
    ),
    "pooling": (
        lambda: with_layers(Attention(), Pooling()),
        "not all tokens of an image attend to each other",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_read_is_refused(method: str, case: str, x: Tensor, target: Tensor) -> None:
    make, said = REFUSED[case]
    with pytest.raises(xb.XaiboardError, match=f"'{method}' does not apply: {said}"):
        xb.explain(seeded(make), method, x, target)


@pytest.mark.parametrize("method", METHODS)
def test_tokens_that_are_no_grid_are_refused(method: str, x: Tensor, target: Tensor) -> None:
    network = seeded(Transformer)
    assert torch.equal(
        xb.explain(network, method, x, target, reshape="4x4"), xb.explain(network, method, x, target)
    )
    with pytest.raises(
        xb.XaiboardError, match="the model has 17 tokens, which reshape=3x4 does not fit on 8 x 8"
    ):
        xb.explain(network, method, x, target, reshape="3x4")


def every_check() -> Iterator[tuple[str, str]]:
    for method in METHODS:
        for check, _ in checks_of(xb.methods[method]):
            yield method, check


@pytest.mark.parametrize(("method", "check"), list(every_check()))
def test_the_contract_holds_on_a_transformer(
    method: str, check: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small network of the contract has no attention, so that both are inapplicable there."""

    def transformer(shape: tuple[int, int, int], _: torch.Generator) -> nn.Module:
        return seeded(lambda: Transformer(written="fused", channels=shape[0]))

    monkeypatch.setattr(contract, "_small_network", transformer)
    dict(checks_of(xb.methods[method]))[check]()
