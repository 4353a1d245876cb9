"""Attacks on maps: what they keep, what they reach, and what an attack may not do."""

import copy
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, metrics, perturbations
from xaiboard.benchmark.perturbations.shared.agreement import spearman_with
from xaiboard.benchmark.perturbations.shared.smooth_copy import smooth_copy
from xaiboard.benchmark.perturbations.target_attack import least_square
from xaiboard.benchmark.toolkit.rng import SampleRng

ATTACKS = ["best_of_random", "lens_attack", "mass_center_attack", "target_attack", "topk_attack"]
GRADIENT = ATTACKS[1:]
SMALL: dict[str, dict[str, Any]] = {
    "best_of_random": {"steps": 8, "restarts": 2},
    "lens_attack": {"steps": 8, "k": 6},
    "mass_center_attack": {"steps": 8},
    "target_attack": {"steps": 8, "side": 4},
    "topk_attack": {"steps": 8, "k": 12},
}
Explain = Callable[[Tensor], Tensor]


@pytest.fixture(scope="module")
def net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.ReLU(), nn.Flatten()
        return nn.Sequential(*layers, nn.Linear(6 * 64, 4)).double().eval()


@pytest.fixture(scope="module")
def x() -> Tensor:
    return torch.rand(6, 1, 12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def gradient(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(model(leaf).gather(1, target[:, None]).sum(), leaf)[0]


def run(name: str, model: nn.Module, x: Tensor, ids: range | None = None, **settings: Any) -> Tensor:  # noqa: ANN401
    with torch.no_grad():
        logits = model(x)
    target = logits.argmax(1)
    given = {
        "model": model,
        "x": x,
        "target": target,
        "logits": logits,
        "attribution": gradient(model, x, target),
        "explain": lambda z: gradient(model, z, target),
        "method": "saliency",
        "other_model": model,
        "rng": SampleRng(0, ids or range(len(x)), name),
    }
    entry = perturbations[name]
    given |= {key: settings.pop(key) for key in list(settings) if key in given}
    return entry(**{key: given[key] for key in entry.supplied}, **{**SMALL[name], **settings})


def damage(name: str, model: nn.Module, x: Tensor, attacked: Tensor) -> Tensor:
    """What the attack keeps low, by the metrics of this suite or by hand, ``(B,)``."""
    with torch.no_grad():
        target = model(x).argmax(1)
    a, b = gradient(model, x, target), gradient(model, attacked, target)
    given = {"attribution": a, "perturbed_attribution": b}
    if name == "topk_attack":
        return metrics["topk_intersection"](**given, k=12)[""]
    if name == "lens_attack":
        return metrics["lens_recall"](**given, k=6)[""]
    if name == "mass_center_attack":
        return -metrics["mass_centre_shift"](**given)
    if name == "target_attack":
        share = b.abs() / b.abs().sum((1, 2, 3), keepdim=True)
        return -(share * least_square(a, 4)[:, None]).sum((1, 2, 3))
    return metrics["spearman"](**given)


@pytest.mark.parametrize("name", ATTACKS)
def test_stays_in_the_ball_and_in_range_and_keeps_the_prediction(
    net: nn.Module, x: Tensor, name: str
) -> None:
    kept = x.clone()
    attacked = run(name, net, x, eps=0.05)
    assert torch.equal(x, kept)
    assert (attacked - x).abs().max() <= 0.05 + 1e-12
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert torch.equal(net(attacked).argmax(1), net(x).argmax(1))


@pytest.mark.parametrize("name", ATTACKS)
def test_more_steps_never_spare_the_map(net: nn.Module, x: Tensor, name: str) -> None:
    """The first iterates are the same, and the worst of all is kept."""
    before = damage(name, net, x, x)
    for steps in (1, 4, 16):
        now = damage(name, net, x, run(name, net, x, steps=steps))
        assert (now <= before + 1e-9).all()
        before = now
    assert (before < damage(name, net, x, x)).any()


@pytest.mark.parametrize("name", GRADIENT)
def test_the_gradient_does_more_than_noise(net: nn.Module, x: Tensor, name: str) -> None:
    noise = (x + 0.08 * SampleRng(0, range(6), "").sign(x)).clamp(0, 1)
    found = damage(name, net, x, run(name, net, x, eps=0.08, steps=20, restarts=2))
    assert found.mean() < damage(name, net, x, noise).mean()


@pytest.mark.parametrize("name", ATTACKS)
def test_a_sample_does_not_see_its_batch(net: nn.Module, x: Tensor, name: str) -> None:
    whole = run(name, net, x, restarts=2)
    alone = [run(name, net, x[i : i + 1], range(i, i + 1), restarts=2) for i in range(6)]
    torch.testing.assert_close(torch.cat(alone), whole)


@pytest.mark.parametrize("name", ATTACKS)
def test_without_a_ball_nothing_moves(net: nn.Module, x: Tensor, name: str) -> None:
    assert torch.equal(run(name, net, x, eps=0.0), x)


@pytest.mark.parametrize("name", ATTACKS)
def test_where_no_prediction_holds_the_input_stays(x: Tensor, name: str) -> None:
    """A network that predicts class 0 for these images alone."""

    class Brittle(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            known = torch.tensor([any(torch.equal(one, image) for image in x) for one in z])
            score = (z**2).flatten(1).sum(1) + torch.where(known, 1e6, -1e6)
            return torch.stack([score, torch.zeros_like(score)], 1)

    assert torch.equal(run(name, Brittle(), x), x)


@pytest.mark.parametrize("name", GRADIENT)
def test_a_prediction_without_a_gradient_is_sought_at_random(
    undecided: nn.Module, x: Tensor, name: str
) -> None:
    """The network rounds its input, the map is that of another one: where its prediction is lost no sample stays."""

    class Rounding(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return undecided((32 * z).round() / 32)

    target, seen = undecided(x).argmax(1), [x]

    def explain(z: Tensor) -> Tensor:
        seen.append(z)
        return gradient(undecided, z, target)

    network = Rounding()
    run(name, network, x, eps=0.2, other_model=undecided, attribution=explain(x), explain=explain)
    lost = torch.stack([network(z).argmax(1) != network(x).argmax(1) for z in seen[2:-1]])
    moved = torch.stack([(a != b).flatten(1).any(1) for a, b in pairwise(seen[2:])])
    assert lost.any()
    assert moved.all()


@pytest.mark.parametrize("name", GRADIENT)
def test_a_map_without_a_gradient_is_attacked_at_random(x: Tensor, name: str) -> None:
    """A network that is linear in pieces, without a layer that has a smooth copy."""

    class Folded(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            flat = z.flatten(1)
            score = ((flat[:, 1:] - flat[:, :-1]).abs()).sum(1)
            return torch.stack([score, score * 0], 1)

    attacked = run(name, Folded(), x)
    assert not torch.equal(attacked, x)
    assert damage(name, Folded(), x, attacked).mean() < damage(name, Folded(), x, x).mean()


Objective = Callable[[Tensor, Tensor], Tensor]
"""Of the original magnitudes ``(H, W)`` and those of a perturbed image: what the attack lowers."""


def share(inside: Tensor, b: Tensor) -> Tensor:
    return b[inside].sum() / b.sum()


def largest(a: Tensor, k: int) -> Tensor:
    return a >= a.flatten().sort(descending=True).values[k - 1]


def near(a: Tensor) -> Tensor:
    top = largest(a, 6).nonzero()
    grid = torch.cartesian_prod(*[torch.arange(side) for side in a.shape])
    return ((grid[:, None] - top).abs().amax(2).amin(1) <= 1).view_as(a)


def centre(a: Tensor) -> Tensor:
    rows, columns = (torch.arange(side, dtype=a.dtype) for side in a.shape)
    return torch.stack([(a.sum(1) * rows).sum(), (a.sum(0) * columns).sum()]) / a.sum()


def square(a: Tensor) -> Tensor:
    return least_square(a[None, None], 4)[0] == 1


OBJECTIVES: dict[str, tuple[Objective, Objective]] = {
    "topk_attack": (
        lambda a, b: share(largest(a, 12), b),
        lambda a, b: (largest(a, 12) & largest(b, 12)).sum() / 12,
    ),
    "lens_attack": (
        lambda a, b: share(near(a), b),
        lambda a, b: (near(a) & largest(b, 6)).sum() / 6,
    ),
    "mass_center_attack": (
        lambda a, b: -((centre(a) - centre(b)) ** 2).sum(),
        lambda a, b: -(centre(a) - centre(b)).norm(),
    ),
    "target_attack": (lambda a, b: -share(square(a), b), lambda a, b: -share(square(a), b)),
}
"""For each attack what its steps lower, and what it keeps lowest."""


def plain_attack(name: str, net: nn.Module, image: Tensor, rng: SampleRng, eps: float) -> tuple[Tensor, str]:
    """The attack on the simple gradient of one image, with three starts of seven steps, and which iterates held."""
    lowered, kept = OBJECTIVES[name]
    label = net(image[None]).argmax(1)
    a = gradient(net, image[None], label).abs()[0, 0]
    worst, lowest, course = image, kept(a, a), ""

    def holds(z: Tensor) -> bool:
        return bool(net(z[None]).argmax() == label)

    def offer(z: Tensor) -> None:
        nonlocal worst, lowest, course
        course += "-+"[holds(z)]
        now = kept(a, gradient(net, z[None], label).abs()[0, 0])
        if holds(z) and now < lowest:
            worst, lowest = z, now

    starts = [image, *((image + rng.uniform(image[None], -eps, eps)[0]).clamp(0, 1) for _ in range(2))]
    for start in starts:
        here = start
        course += "|"
        offer(here)
        for count in range(7):
            leaf = here[None].clone().requires_grad_()
            if holds(here):
                smooth = smooth_copy(net, 5 * (1 + count / 3))
                b = torch.autograd.grad(smooth(leaf)[0, label].sum(), leaf, create_graph=True)[0].abs()[0, 0]
                objective = lowered(a, b)
            else:
                objective = -net(leaf).log_softmax(1)[0, label].sum()
            (slope,) = torch.autograd.grad(objective, leaf)
            blind, drawn = not slope.any(), rng.sign(image[None])[0]
            here = here + eps / (1 + count / 3) * (drawn if blind else -slope[0].sign())
            here = torch.minimum(torch.maximum(here, image - eps), image + eps).clamp(0, 1)
            offer(here)
    return worst, course


@pytest.fixture(scope="module")
def undecided(net: nn.Module, x: Tensor) -> nn.Module:
    """A network of which small changes of the images change the prediction."""
    copied = copy.deepcopy(net)
    last = list(copied.children())[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.bias -= net(x).mean(0)
    return copied


@pytest.mark.parametrize("name", GRADIENT)
def test_steps_as_a_plain_loop_does_and_leads_back_when_the_prediction_is_lost(
    undecided: nn.Module, x: Tensor, name: str
) -> None:
    one_by_one = [
        plain_attack(name, undecided, image, SampleRng(0, range(i, i + 1), name), 0.2)
        for i, image in enumerate(x)
    ]
    found = run(name, undecided, x, eps=0.2, steps=7, restarts=3)
    torch.testing.assert_close(found, torch.stack([worst for worst, _ in one_by_one]))
    courses = "".join(course for _, course in one_by_one)
    assert "+-+" in courses
    assert "|-+" in courses


def test_a_linear_network_has_one_map(x: Tensor) -> None:
    """Every image has the same gradient, so that no attack is worse than none."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(144, 3).double())
    for name in ATTACKS:
        assert torch.equal(run(name, linear, x), x)


THROUGH = ["saliency", "input_x_gradient", "integrated_gradients", "smoothgrad"]


@pytest.mark.parametrize("through", THROUGH)
def test_differentiates_the_map_that_it_is_told(net: nn.Module, x: Tensor, through: str) -> None:
    """The explained method's own by default; what is kept is judged by the explained map all the same."""
    found = run("topk_attack", net, x, through=through)
    assert damage("topk_attack", net, x, found).mean() < 1
    assert torch.equal(run("topk_attack", net, x, method=through), found)
    assert torch.equal(run("topk_attack", net, x, method=through, through="own"), found)
    others = [run("topk_attack", net, x, through=other) for other in THROUGH if other != through]
    assert not any(torch.equal(found, other) for other in others)


def test_a_method_without_a_gradient_is_attacked_by_transfer_or_not_at_all(net: nn.Module, x: Tensor) -> None:
    by = {"rise": "saliency", "deeplift": "integrated_gradients", "lrp_epsilon": "input_x_gradient"}
    for method, through in by.items():
        found = run("topk_attack", net, x, method=method)
        assert torch.equal(found, run("topk_attack", net, x, through=through))
    problem = "'rise' cannot be differentiated; through=auto attacks it by transfer from saliency"
    with pytest.raises(XaiboardError, match=problem):
        run("topk_attack", net, x, method="rise", through="own")
    for name in GRADIENT:
        applies = perturbations[name].applies
        assert applies is not None
        assert applies("rise", {"through": "own"}) is not None
        assert applies("rise", {"through": "auto"}) is None
        assert applies("saliency", {"through": "own"}) is None


def test_the_gradient_of_another_network_is_followed(net: nn.Module, x: Tensor) -> None:
    """The same network without a layer that has a smooth copy: its own gradient says nothing of its map."""

    class Hidden(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            for layer in net.children():
                z = torch.relu(z) if isinstance(layer, nn.ReLU) else layer(z)
            return z

    hidden, settings = Hidden(), {"steps": 12, "eps": 0.08}
    own = run("topk_attack", hidden, x, **settings)
    transferred = run("topk_attack", hidden, x, other_model=net, **settings)
    assert torch.equal(transferred, run("topk_attack", net, x, **settings))
    assert damage("topk_attack", hidden, x, transferred).mean() < damage("topk_attack", hidden, x, own).mean()


def test_lens_aware_beats_top_k_at_lens(net: nn.Module, x: Tensor) -> None:
    """What its neighbours forgive gains the top-k attack nothing; the stronger kind keeps the worst recall itself."""
    settings: dict[str, Any] = {"eps": 0.15, "steps": 25}
    found = {
        "topk": run("topk_attack", net, x, k=6, **settings),
        "released": run("lens_attack", net, x, keep="spearman", **settings),
        "worst": run("lens_attack", net, x, **settings),
    }
    recall = {name: damage("lens_attack", net, x, attacked) for name, attacked in found.items()}
    assert (recall["worst"] <= recall["released"]).all()
    assert recall["worst"].mean() < recall["topk"].mean()
    ranks = {name: damage("best_of_random", net, x, attacked) for name, attacked in found.items()}
    assert (ranks["released"] <= ranks["worst"]).all()
    assert ranks["released"].mean() < ranks["worst"].mean()


def test_with_a_window_that_covers_the_map_there_is_nothing_to_gain(net: nn.Module, x: Tensor) -> None:
    assert torch.equal(run("lens_attack", net, x, window=11), x)


def test_without_a_window_it_is_the_top_k_attack(net: nn.Module, x: Tensor) -> None:
    assert torch.equal(run("lens_attack", net, x, window=0), run("topk_attack", net, x, k=6))


def test_vectors_are_attacked_too() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(20, 9), nn.ReLU(), nn.Linear(9, 3)).double()
    x = torch.rand(4, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for name in ATTACKS:
        settings: dict[str, Any] = {"k": 3} if "k" in SMALL[name] else {}
        attacked = run(name, net, x, **settings)
        assert attacked.shape == x.shape
        assert (attacked - x).abs().max() <= 0.1 + 1e-12


def test_the_walk_keeps_what_it_is_told(net: nn.Module, x: Tensor) -> None:
    walks = {
        measure: run("best_of_random", net, x, measure=measure, k=12)
        for measure in ("spearman", "intersection", "mass_centre")
    }
    by = {"spearman": "best_of_random", "intersection": "topk_attack", "mass_centre": "mass_center_attack"}
    for measure, name in by.items():
        own = damage(name, net, x, walks[measure])
        assert all((own <= damage(name, net, x, other) + 1e-9).all() for other in walks.values())


def test_the_square_is_the_one_that_holds_least() -> None:
    a = torch.ones(1, 2, 6, 7)
    a[:, :, 2:5, 3:6] = 0.5
    region = least_square(a, 3)
    assert region.sum() == 9
    assert region[0, 2:5, 3:6].sum() == 9
    assert least_square(a, 99).sum() == 42


def test_correlation_is_that_of_scipy(x: Tensor) -> None:
    a, b = x - 0.5, x.flip(0) - 0.4
    pairs = zip(a.abs().flatten(1).tolist(), b.abs().flatten(1).tolist(), strict=True)
    expected = [spearmanr(one, other)[0] for one, other in pairs]
    torch.testing.assert_close(spearman_with(a)(b), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"eps": -0.1}, "'eps' of '{}' must be from 0 to 1, the range of a pixel; got '-0.1'"),
        ({"eps": 2.0}, "'eps' of '{}' must be from 0 to 1, the range of a pixel; got '2'"),
        ({"step": -0.1}, "'step' of '{}' must be at least 0"),
        ({"steps": 0}, "'steps' of '{}' must be at least 1"),
        ({"restarts": 0}, "'restarts' of '{}' must be at least 1"),
    ],
)
@pytest.mark.parametrize("name", ATTACKS)
def test_refuses_what_makes_no_sense(
    net: nn.Module, x: Tensor, name: str, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(XaiboardError, match=problem.format(name)):
        run(name, net, x, **settings)


def test_refuses_a_set_or_a_sharpness_that_does_not_exist(net: nn.Module, x: Tensor) -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        (
            "topk_attack",
            {"k": 145},
            "'k' of 'topk_attack' must be at most the 144 pixels of a map; got '145'",
        ),
        ("topk_attack", {"k": 0}, "'k' of 'topk_attack' must be at least 1"),
        ("best_of_random", {"k": 145, "measure": "intersection"}, "'k' of 'best_of_random' must be at most"),
        ("lens_attack", {"k": 145}, "'k' of 'lens_attack' must be at most the 144 pixels"),
        ("lens_attack", {"window": -1}, "'window' of 'lens_attack' must be at least 0"),
        ("target_attack", {"side": 0}, "'side' of 'target_attack' must be at least 1"),
        ("mass_center_attack", {"beta": 0.0}, "'beta' of 'mass_center_attack' must be greater than 0"),
    ]
    for name, settings, problem in cases:
        with pytest.raises(XaiboardError, match=problem):
            run(name, net, x, **settings)
