"""Sanity checks on networks whose maps are known by hand: linear ones, alone and in a chain."""

from collections.abc import Callable, Iterator
from math import log

import numpy as np
import pytest
import torch
import xaiboard.benchmark as xb
from scipy.stats import spearmanr
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.emprt import histogram_entropy
from xaiboard.metrics.shared.randomised import fully_randomised, randomised

Measure = Callable[..., dict[str, Tensor]]
Explain = Callable[..., Tensor]


@pytest.fixture
def deep(x: Tensor) -> nn.Sequential:
    """A chain of three linear layers, with a bias in the middle: its gradient is the product of the matrices."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, last = nn.Linear(x[0].numel(), 9, bias=False), nn.Linear(6, 4, bias=False)
        return nn.Sequential(nn.Flatten(), first, nn.Linear(9, 6), last).double().eval()


@pytest.fixture
def target(x: Tensor) -> Tensor:
    return torch.arange(len(x)) % 4


def gradients(net: nn.Module, target: Tensor) -> Explain:
    """The gradient, for any target and network."""
    usual = target

    def explain(x: Tensor, *, model: nn.Module | None = None, target: Tensor | None = None) -> Tensor:
        chosen = usual if target is None else target
        return xb.methods["saliency"](model=net if model is None else model, x=x, target=chosen).detach()

    return explain


def correlations(one: Tensor, other: Tensor) -> tuple[list[float], list[float]]:
    """scipy's, of signed channel sums and of magnitudes; values within 1e-5 of the largest may tie."""

    def ranked(a: Tensor, b: Tensor) -> list[float]:
        rows = [
            (each / each.abs().amax((1, 2), keepdim=True) * 1e5).round().flatten(1).numpy() for each in (a, b)
        ]
        return [spearmanr(*pair)[0] for pair in zip(*rows, strict=True)]  # type: ignore[misc]

    return ranked(one.sum(1), other.sum(1)), ranked(one.abs().sum(1), other.abs().sum(1))


def drawn(values: Tensor, name: str, seed: int = 0, draw: int = 0) -> Tensor:
    """What a parameter becomes, by hand."""
    noise = SampleRng(seed, [draw], f"randomised/{name}").normal(values[None])[0]
    return noise * float(values.square().mean()) ** 0.5


def weights(deep: nn.Sequential) -> list[Tensor]:
    return [deep.get_parameter(f"{layer}.weight").detach() for layer in (1, 2, 3)]


def chained(matrices: list[Tensor], target: Tensor, like: Tensor) -> Tensor:
    first, middle, last = matrices
    return (last @ middle @ first)[target].view_as(like)


# random logit


def test_random_logit_compares_with_the_map_of_the_class_that_is_drawn(
    measure: Measure, deep: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    explain = gradients(deep, target)
    step = 1 + (SampleRng(0, range(6), "random_logit").uniform(x[:, 0, 0, :1])[:, 0] * 3).long()
    assert len(set(step.tolist())) > 1
    signed, absolute = correlations(explain(x), explain(x, target=(target + step) % 4))
    found = measure(
        "random_logit", explain=explain, x=x, target=target, logits=deep(x).detach(), attribution=explain(x)
    )
    torch.testing.assert_close(found[""], torch.tensor(signed, dtype=torch.float64))
    torch.testing.assert_close(found["absolute"], torch.tensor(absolute, dtype=torch.float64))


def test_every_other_class_is_equally_likely(measure: Measure) -> None:
    """600 samples, three other classes: 200 each, within 5 standard deviations; never the explained one."""
    seen: list[Tensor] = []
    x, target = torch.zeros(600, 1, 2, 2), torch.arange(600) % 4

    def explain(x: Tensor, *, target: Tensor) -> Tensor:
        seen.append(target)
        return x

    measure("random_logit", explain=explain, x=x, target=target, logits=torch.zeros(600, 4), attribution=x)
    counts = torch.bincount((seen[0] - target) % 4, minlength=4)
    assert counts[0] == 0
    assert ((counts[1:] - 200).abs() < 58).all()


def test_opposite_logits_have_opposite_maps_of_the_same_pixels(
    measure: Measure, two_classes: nn.Module, x: Tensor
) -> None:
    target = torch.zeros(6, dtype=torch.int64)
    explain = gradients(two_classes, target)
    given = {"target": target, "logits": two_classes(x).detach(), "attribution": explain(x)}
    found = measure("random_logit", explain=explain, x=x, **given)
    for name, expected in (("", -1.0), ("absolute", 1.0), ("ssim", 1.0)):
        torch.testing.assert_close(found[name], torch.full((6,), expected).double())


def test_random_logit_needs_another_class(measure: Measure, x: Tensor, target: Tensor) -> None:
    given = {"target": target, "logits": torch.zeros(6, 1), "attribution": x}
    with pytest.raises(XaiboardError, match="needs another class"):
        measure("random_logit", explain=lambda z, target: z, x=x, **given)


# randomised networks


def changed(deep: nn.Sequential, other: nn.Module) -> list[str]:
    """Names of the parameters that are not those of ``deep``."""
    return [
        name
        for (name, value), new in zip(deep.named_parameters(), other.parameters(), strict=True)
        if not torch.equal(value, new)
    ]


FIRST, MIDDLE, LAST = ["1.weight"], ["2.weight", "2.bias"], ["3.weight"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("top_down", [LAST, [*MIDDLE, *LAST], [*FIRST, *MIDDLE, *LAST]]),
        ("bottom_up", [FIRST, [*FIRST, *MIDDLE], [*FIRST, *MIDDLE, *LAST]]),
        ("independent", [LAST, MIDDLE, FIRST][::-1]),
    ],
)
def test_layers_are_drawn_in_order(deep: nn.Sequential, order: str, expected: list[list[str]]) -> None:
    before = {name: value.clone() for name, value in deep.state_dict().items()}
    found = [changed(deep, other) for other in randomised(deep, 0, order)]  # type: ignore[arg-type]
    assert found == expected
    assert all(torch.equal(value, before[name]) for name, value in deep.state_dict().items())


def test_a_layer_is_the_same_in_every_order_and_another_for_another_seed(deep: nn.Sequential) -> None:
    *_, down = randomised(deep, 0)
    *_, up = randomised(deep, 0, "bottom_up")
    others = [fully_randomised(deep, *key) for key in ((1, 0), (0, 1))]
    for name, value in deep.named_parameters():
        expected = drawn(value.detach(), name.replace(".", "/"))
        for same in (down, up, fully_randomised(deep, 0)):
            torch.testing.assert_close(same.get_parameter(name).detach(), expected)
        assert all((other.get_parameter(name) - expected).abs().max() > 0.01 for other in others)


def test_scale_is_kept_and_nothing_else(deep: nn.Sequential) -> None:
    """4 deviations of the mean square of 9 x 56 Gaussians and more; their mean is that of none."""
    with torch.no_grad():
        deep.get_parameter("1.weight").fill_(-3.0)
    new = fully_randomised(deep, 0).get_parameter("1.weight").detach()
    assert abs(new.square().mean().item() / 9 - 1) < 4 * (2 / new.numel()) ** 0.5
    assert abs(new.mean().item() / 3) < 4 / new.numel() ** 0.5


def test_zeros_and_buffers_stay(x: Tensor) -> None:
    net = nn.Sequential(nn.BatchNorm2d(x.shape[1])).double().eval()
    other = fully_randomised(net, 0)
    assert changed(net, other) == ["0.weight"]  # a new bias is zero
    assert torch.equal(other.state_dict()["0.running_var"], net.state_dict()["0.running_var"])
    assert not other.training


def test_networks_without_parameters_are_refused(two_classes: nn.Module) -> None:
    with pytest.raises(XaiboardError, match="no parameters to draw anew"):
        list(randomised(two_classes, 0))


def test_weights_that_are_computed_from_others_are_refused() -> None:
    parametrised = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))
    with pytest.raises(XaiboardError, match="layer '1' computes its weights from others"):
        fully_randomised(nn.Sequential(nn.Linear(4, 4), parametrised), 0)


def test_why_torchlip_is_refused_until_it_is_exported(measure: Measure) -> None:
    """In eval mode it keeps the weights that it computed: drawing the parameters anew changes biases alone."""
    torchlip = pytest.importorskip("deel.torchlip")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = torchlip.Sequential(torchlip.SpectralLinear(8, 8), torchlip.SpectralLinear(8, 8))
    net.eval()
    x, target = torch.rand(3, 8, generator=torch.Generator().manual_seed(0)), torch.arange(3)
    explain = gradients(net, target)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    kept = explain(x)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(2))
    assert torch.equal(explain(x), kept)
    with pytest.raises(XaiboardError, match="export the network"):
        measure("mprt", model=net, explain=explain, x=x, attribution=kept)

    plain = net.vanilla_export()
    explain = gradients(plain, target)
    assert (measure("mprt", model=plain, explain=explain, x=x, attribution=explain(x))[""] < 0.9).all()


# model parameter randomisation


@pytest.mark.parametrize("order", ["top_down", "bottom_up", "independent"])
def test_mprt_follows_the_product_of_matrices(
    measure: Measure, deep: nn.Sequential, x: Tensor, target: Tensor, order: str
) -> None:
    old = weights(deep)
    new = [drawn(value, f"{layer}/weight") for layer, value in zip((1, 2, 3), old, strict=True)]
    steps = {
        "top_down": [[2], [1, 2], [0, 1, 2]],
        "bottom_up": [[0], [0, 1], [0, 1, 2]],
        "independent": [[0], [1], [2]],
    }[order]
    explain = gradients(deep, target)
    intact = chained(old, target, x)
    torch.testing.assert_close(explain(x), intact)
    signed, absolute = zip(
        *(
            correlations(intact, chained([(new if i in step else old)[i] for i in range(3)], target, x))
            for step in steps
        ),
        strict=True,
    )
    found = measure("mprt", model=deep, explain=explain, x=x, attribution=intact, order=order)
    curve = torch.tensor([[1.0] * 6, *signed], dtype=torch.float64).T
    torch.testing.assert_close(found["curve"], curve)
    torch.testing.assert_close(found[""], curve[:, 1:].mean(1))
    torch.testing.assert_close(found["absolute"], torch.tensor(absolute, dtype=torch.float64).mean(0))


def test_a_map_that_sees_no_network_is_found_out(measure: Measure, deep: nn.Sequential, x: Tensor) -> None:
    given = {"model": deep, "explain": lambda z, model: z, "x": x, "attribution": x}
    found = measure("mprt", **given)
    for values in found.values():
        torch.testing.assert_close(values, torch.ones_like(values))
    assert torch.equal(measure("emprt", **given)[""][0], torch.zeros(6).double())


@pytest.mark.parametrize("temperature", [0.25, 4.0])
@pytest.mark.parametrize("name", ["mprt", "emprt", "random_logit"])
def test_scaled_logits_give_the_same_gradients_but_for_scale(
    measure: Measure, deep: nn.Sequential, x: Tensor, target: Tensor, name: str, temperature: float
) -> None:
    """Temperature in the last layer: what is drawn for it scales with it, and so do all maps."""
    found = []
    for scale in (1.0, temperature):
        with torch.no_grad():
            deep.get_parameter("3.weight").div_(scale)
        explain = gradients(deep, target)
        given = {"model": deep, "target": target, "logits": deep(x).detach(), "attribution": explain(x)}
        needed = {key: value for key, value in given.items() if xb.metrics[name].needs(key)}
        found.append(measure(name, explain=explain, x=x, **needed))
    torch.testing.assert_close(found[1], found[0])


def test_degenerate_maps_have_stated_similarities(measure: Measure, deep: nn.Sequential, x: Tensor) -> None:
    """Zero and constant maps order nothing; that of the network they are the same as is 1 in SSIM."""
    for value in (0.0, 3.0, -3.0):
        a = torch.full_like(x, value)
        found = measure("mprt", model=deep, explain=lambda z, model, a=a: a, x=x, attribution=a)
        assert found[""].tolist() == found["absolute"].tolist() == [0] * 6
        torch.testing.assert_close(found["ssim"], torch.ones(6).double())
    hot = torch.zeros_like(x)
    hot[..., 3, 3] = 1e-40
    found = measure("mprt", model=deep, explain=lambda z, model: 2 * hot, x=x, attribution=hot)
    torch.testing.assert_close(found[""], torch.ones(6).double())


def test_hooks_of_a_method_go_to_the_copy(measure: Measure) -> None:
    """Grad-CAM by metric, and by hand on the randomised network."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4)).eval()
    x = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    target = net(x).argmax(1)

    def explain(x: Tensor, *, model: nn.Module | None = None) -> Tensor:
        return xb.explain(net if model is None else model, "gradcam", x, target)

    a = explain(x)
    found = measure("emprt", model=net, explain=explain, x=x, attribution=a)
    by_hand = xb.explain(fully_randomised(net, 0), "gradcam", x, target)
    torch.testing.assert_close(found["random_entropy"], histogram_entropy(by_hand.flatten(1), 100))
    assert not any(module._forward_hooks for module in net.modules())
    assert torch.equal(explain(x), a)


# efficient model parameter randomisation


def test_entropy_of_the_histogram_is_that_of_numpy() -> None:
    values = torch.randn(8, 500, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 3
    for bins in (2, 7, 100):
        for row, found in zip(values.numpy(), histogram_entropy(values, bins).tolist(), strict=True):
            share = np.histogram(row, bins)[0] / 500
            expected = -sum(p * log(p) for p in share if p > 0)
            assert found == pytest.approx(expected, abs=5e-3)  # a value at an edge may change its bin


def test_entropies_in_closed_form() -> None:
    ramp = torch.arange(400.0).double()[None]
    torch.testing.assert_close(histogram_entropy(ramp, 100), torch.tensor([log(100)]).double())
    torch.testing.assert_close(histogram_entropy(-1e-30 * ramp, 4), torch.tensor([log(4)]).double())
    assert histogram_entropy(torch.full((3, 5), 7.0), 100).tolist() == [0, 0, 0]
    half = torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    assert histogram_entropy(half, 100).item() == pytest.approx(log(2))
    one = torch.zeros(1, 50).index_fill_(1, torch.tensor(3), -1.0)
    assert histogram_entropy(one, 100).item() == pytest.approx(-log(0.98) * 0.98 - log(0.02) * 0.02)


@pytest.fixture
def ways() -> Iterator[tuple[Tensor, Tensor]]:
    """A map of two levels, and one of eight: entropies log 2 and log 8."""
    two = torch.tensor([0.0, 1.0]).double().repeat(32).view(1, 1, 8, 8).expand(3, 2, 8, 8)
    eight = torch.arange(8.0).double().repeat(8).view(1, 1, 8, 8).expand(3, 2, 8, 8)
    yield two, eight


def test_emprt_is_the_relative_rise(measure: Measure, ways: tuple[Tensor, Tensor]) -> None:
    two, eight = ways
    net = nn.Linear(1, 1)
    for before, after, expected in ((two, eight, 2.0), (eight, two, -2 / 3), (two, two, 0.0)):
        found = measure(
            "emprt", model=net, explain=lambda z, model, after=after: after, x=two, attribution=before
        )
        torch.testing.assert_close(found[""][0], torch.full((3,), expected).double())
        torch.testing.assert_close(found[""][1], found["entropy"])
    torch.testing.assert_close(found["random_entropy"], torch.full((3,), log(2)).double())
    zero = torch.zeros_like(two)
    cut = measure("emprt", model=net, explain=lambda z, model: eight, x=two, attribution=zero)[""][0]
    torch.testing.assert_close(cut, torch.full((3,), log(8) / (0.01 * log(100))).double())
    lost = measure("emprt", model=net, explain=lambda z, model: zero, x=two, attribution=eight)[""][0]
    assert lost.tolist() == [-1, -1, -1]
    assert (
        measure("emprt", model=net, explain=lambda z, model: zero, x=two, attribution=zero)[""][0].tolist()
        == [0] * 3
    )


def test_draws_are_networks_over_which_the_entropy_is_averaged(
    measure: Measure, deep: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    explain = gradients(deep, target)
    entropies = [
        histogram_entropy(explain(x, model=fully_randomised(deep, 5, draw)).sum(1).flatten(1), 20)
        for draw in range(3)
    ]
    found = measure(
        "emprt", model=deep, explain=explain, x=x, attribution=explain(x), seed=5, draws=3, bins=20
    )
    torch.testing.assert_close(found["random_entropy"], sum(entropies) / 3)


def test_settings_that_make_no_sense_are_refused(measure: Measure, deep: nn.Sequential, x: Tensor) -> None:
    for settings, wanted in (
        ({"bins": 1}, "'bins' of 'emprt' must be at least 2"),
        ({"draws": 0}, "'draws'"),
    ):
        with pytest.raises(XaiboardError, match=wanted):
            measure("emprt", model=deep, explain=lambda z, model: z, x=x, attribution=x, **settings)
