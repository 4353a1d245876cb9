"""What holds for every metric: batch, input and model make no difference and see none; degenerate maps are finite."""

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, Weighted, metrics
from xaiboard.benchmark.rng import SampleRng

NAMES = [
    "accuracy",
    "ara",
    "attack_distance",
    "certified_accuracy",
    "deletion",
    "gini",
    "gradient_norm",
    "insertion",
    "kantorovich_rubinstein",
    "lens_precision",
    "lens_recall",
    "lipschitz",
    "max_sensitivity",
    "pgd_accuracy",
    "step_flip",
    "tightness",
    "topk_intersection",
]
SAMPLES = 15


@pytest.fixture
def net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3, stride=2), nn.Flatten(), nn.Linear(60, 4)
        return nn.Sequential(*layers).double().eval()


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def evaluate(
    name: str, net: nn.Module, ids: list[int], attribution: Tensor | None = None, **settings: object
) -> dict[str, Tensor]:
    """The metric on samples ``ids`` of a fixed set, with shared values, as the suite supplies them."""
    images = draw(SAMPLES, 3, 12, 10).sigmoid()
    x = images[ids]
    logits = net(x).detach()
    maps = draw(SAMPLES, 3, 12, 10, seed=1) if attribution is None else attribution.expand(SAMPLES, 3, 12, 10)
    given = {
        "model": net,
        "x": x,
        "target": logits.argmax(1),
        "label": torch.arange(SAMPLES)[ids] % 4,
        "logits": logits,
        "attribution": maps[ids],
        "perturbed_attribution": draw(SAMPLES, 3, 12, 10, seed=2)[ids],
        "explain": lambda z: (2 * z).tanh() * maps[ids],
        "certificate": draw(SAMPLES, seed=3)[ids].abs(),
        "lipschitz": draw(SAMPLES, 2, seed=4)[ids].abs(),
        "reference": Reference(images.mean(0), images),
        **settings,
    }
    entry = metrics[name]
    for key, value in entry.shared.items():
        known = {**{k: s.default for k, s in entry.settings.items()}, **given, "rng": SampleRng(0, ids, key)}
        given[key] = value(**{k: known[k] for k in (*value.supplied, *value.settings)})
    given["rng"] = SampleRng(0, ids, name)
    scores = entry.function(**{k: given[k] for k in entry.supplied}, **settings)
    scores = scores if isinstance(scores, dict) else {"": scores}
    flat = {k: v for k, v in scores.items() if not isinstance(v, Weighted)}
    for column, value in scores.items():
        if isinstance(value, Weighted):  # the score alone is as ill-conditioned as its weight is small
            flat |= {f"{column} product": value.score * value.weight, f"{column} weight": value.weight}
    return flat


@pytest.mark.parametrize("baseline", ["zero", "mean", "blur"])
@pytest.mark.parametrize("name", [name for name in NAMES if not metrics[name].whole])
def test_does_not_depend_on_the_batch(net: nn.Module, name: str, baseline: str) -> None:
    settings = {key: value for key, value in [("baseline", baseline)] if key in metrics[name].settings}
    whole = evaluate(name, net, list(range(SAMPLES)), None, **settings)
    for size in (1, 7):
        parts = [
            evaluate(name, net, list(range(start, min(start + size, SAMPLES))), None, **settings)
            for start in range(0, SAMPLES, size)
        ]
        for column, value in whole.items():
            found = torch.cat([part[column] for part in parts])
            torch.testing.assert_close(found, value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_gives_one_finite_number_for_each_sample(net: nn.Module, name: str) -> None:
    scores = evaluate(name, net, list(range(SAMPLES)))
    for column, value in scores.items():
        assert value.shape == ((SAMPLES, 29) if column == "curve" else (SAMPLES,))
        assert value.dtype == torch.float64
        assert value.isfinite().all()
        assert not value.requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_stays_finite_on_degenerate_maps(net: nn.Module, name: str) -> None:
    one_hot = torch.zeros(1, 3, 12, 10, dtype=torch.float64)
    one_hot[0, :, 4, 4] = 1
    for a in (torch.zeros_like(one_hot), torch.ones_like(one_hot), -one_hot - 1, one_hot, one_hot * 1e-40):
        for value in evaluate(name, net, [3, 1, 4], attribution=a).values():
            assert value.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_leaves_model_and_input_alone(net: nn.Module, name: str) -> None:
    before = {key: value.clone() for key, value in net.state_dict().items()}
    x, a = draw(4, 3, 12, 10).sigmoid(), draw(4, 3, 12, 10, seed=1)
    kept = x.clone(), a.clone()
    wanted = metrics[name]
    given = {
        "model": net,
        "x": x,
        "target": torch.zeros(4, dtype=torch.int64),
        "label": torch.zeros(4, dtype=torch.int64),
        "logits": net(x).detach(),
        "attribution": a,
        "perturbed_attribution": a,
        "explain": lambda z: z,
        "certificate": a[:, 0, 0, 0],
        "lipschitz": a[:, 0, 0, :2],
    }
    needed = {key: value for key, value in given.items() if wanted.needs(key)}
    first = wanted(**needed)
    again = wanted(**needed)
    assert torch.equal(x, kept[0])
    assert torch.equal(a, kept[1])
    assert not x.requires_grad
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    one, two = ((s[""] if isinstance(s, dict) else s) for s in (first, again))
    pairs = zip(one, two, strict=True) if isinstance(one, Weighted) else [(one, two)]
    assert all(torch.equal(value, same) for value, same in pairs)
