"""Attacked accuracy, attack distance and tightness: linear models, certificates, and a second library."""

from __future__ import annotations

import importlib.util
import math

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, load_data, load_model, metrics
from xaiboard.benchmark.components.kinds import Weighted
from xaiboard.benchmark.lipschitz.bounds import certified_radius
from xaiboard.benchmark.toolkit.pgd import log_odds, margin
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.shared.box_distance import nearest_in_box

SAMPLES = 60


class Plane(nn.Module):
    """Logits ``(f, -f)`` with ``f = w . (x - 1/2)``."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = nn.Parameter(w)

    def forward(self, x: Tensor) -> Tensor:
        f = ((x - 0.5) * self.w).flatten(1).sum(1)
        return torch.stack([f, -f], 1)


@pytest.fixture
def plane() -> Plane:
    return Plane(torch.randn(1, 6, 6, generator=torch.Generator().manual_seed(1)))


@pytest.fixture
def x(plane: Plane) -> Tensor:
    """At known distances from the plane, .02 to .8, well inside the box."""
    along = torch.linspace(-0.8, 0.8, 41)[:40].view(-1, 1, 1, 1) + 0.02
    noise = 0.02 * torch.randn(40, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    unit = plane.w.detach() / plane.w.detach().norm()
    noise -= (noise * unit).sum((1, 2, 3), keepdim=True) * unit
    return 0.5 + noise + along * unit


def given(model: nn.Module, x: Tensor, label: Tensor) -> dict[str, Tensor | nn.Module]:
    with torch.no_grad():
        return {"model": model, "x": x, "label": label, "logits": model(x)}


def distance_of(model: nn.Module, x: Tensor, label: Tensor, **settings: object) -> dict[str, Tensor]:
    return metrics["attack_distance"](model=model, x=x, label=label, **settings)


def robust(model: nn.Module, x: Tensor, label: Tensor, **settings: object) -> Tensor:
    rng = SampleRng(0, range(len(x)), "metric/pgd_accuracy")
    return metrics["pgd_accuracy"](**given(model, x, label), rng=rng, **settings)


@pytest.mark.parametrize(("norm", "epsilon"), [("l2", 0.3), ("linf", 0.06)])
def test_pgd_breaks_what_lies_within_reach_of_a_plane(
    plane: Plane, x: Tensor, norm: str, epsilon: float
) -> None:
    """The dual norm of the weights decides: L2 for the L2 ball, L1 for the L-inf ball."""
    f = plane(x)[:, 0].detach()
    label = (f < 0).long()
    label[5] = 1 - label[5]
    dual = plane.w.detach().norm() if norm == "l2" else plane.w.detach().abs().sum()
    reach = f.abs() / dual
    clear = (reach - epsilon).abs() > 0.01 * epsilon
    wanted = ((reach > epsilon) & (torch.arange(40) != 5)).float()
    assert 8 < wanted.sum() < 32
    found = robust(plane, x, label, norm=norm, epsilon=epsilon)
    assert torch.equal(found[clear], wanted[clear])
    assert torch.equal(robust(plane, x, label, norm=norm, epsilon=0.0), (torch.arange(40) != 5).float())


class Waves(nn.Module):
    """A rough surface, on which a short attack succeeds from some starts only."""

    def forward(self, x: Tensor) -> Tensor:
        u = x.flatten(1)
        f = (23 * u).sin().sum(1) + (41 * u.roll(1, 1)).cos().sum(1) + 6
        return torch.stack([f, 0 * f], 1)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_more_restarts_break_more_and_never_less(norm: str) -> None:
    model = Waves()
    x = torch.rand(80, 1, 2, 4, generator=torch.Generator().manual_seed(0))
    label = torch.zeros(80, dtype=torch.long)
    found = [
        robust(model, x, label, norm=norm, epsilon=0.05, steps=2, restarts=restarts) for restarts in (1, 2, 6)
    ]
    assert (found[1] <= found[0]).all()
    assert (found[2] <= found[1]).all()
    assert found[2].sum() < found[0].sum()
    assert found[2].sum() > 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epsilon": -0.1}, "'epsilon' of 'pgd_accuracy' must be at least 0; got '-0.1'"),
        ({"epsilon": math.nan}, "'epsilon' of 'pgd_accuracy' must be at least 0; got 'nan'"),
        ({"epsilon": math.inf}, "'epsilon' of 'pgd_accuracy' must be at least 0 and finite; got 'inf'"),
        ({"steps": 0}, "'steps' of 'pgd_accuracy' must be at least 1; got '0'"),
        ({"restarts": 0}, "'restarts' of 'pgd_accuracy' must be at least 1; got '0'"),
    ],
)
def test_settings_that_make_no_attack_are_refused(
    plane: Plane, x: Tensor, settings: dict[str, float], said: str
) -> None:
    with pytest.raises(XaiboardError, match=said):
        robust(plane, x, torch.zeros(40, dtype=torch.long), **settings)


def test_attack_distance_to_a_plane(plane: Plane, x: Tensor) -> None:
    f = plane(x)[:, 0].detach()
    label = (f < 0).long()
    label[5] = 1 - label[5]
    wanted = f.abs() / plane.w.detach().norm()
    wanted[5] = 0
    found = distance_of(plane, x, label)
    torch.testing.assert_close(found[""], wanted, rtol=5e-3, atol=1e-4)
    torch.testing.assert_close(found["rmse"], found[""] / 6)
    assert torch.equal(found["found"], torch.ones(40))


def test_where_no_adversarial_image_is_found_the_farthest_corner_counts() -> None:
    model = Plane(torch.zeros(1, 2, 2))
    x = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5], [1.0, 0.25, 0.5, 0.0]]).view(3, 1, 2, 2)
    label = torch.zeros(3, dtype=torch.long)  # both logits are 0: class 0, everywhere
    found = distance_of(model, x, label, steps=5)
    torch.testing.assert_close(found[""], torch.tensor([2.0, 1.0, (1 + 0.5625 + 0.25 + 1) ** 0.5]))
    assert not found["found"].any()


def test_tightness_is_one_on_a_plane(plane: Plane, x: Tensor) -> None:
    supplied = given(plane, x, (plane(x)[:, 0] < 0).long())
    supplied["label"][5] = 1 - supplied["label"][5]  # type: ignore[operator, index]
    exact = plane(x)[:, 0].detach().abs() / plane.w.detach().norm()
    found = metrics["tightness"](**supplied, certificate=0.5 * exact)
    assert isinstance(found, Weighted)
    assert torch.equal(found.weight, (torch.arange(40) != 5).float())
    torch.testing.assert_close(found.score[found.weight > 0], torch.full((39,), 0.5), rtol=5e-3, atol=0)
    assert found.score[5] == 0


@pytest.mark.parametrize("name", ["lipmlp.hkr", "lipcnn.hkr"])
def test_no_attack_succeeds_within_a_certificate(name: str) -> None:
    """On every right sample; and the attacked accuracy lies between the certified and the plain one."""
    model = load_model(name, dataset="digits")
    data = load_data("digits", split="test", samples=SAMPLES)
    supplied = given(model, data.x, data.label)
    certificate = certified_radius(model, supplied["logits"], data.shape)  # type: ignore[arg-type]
    distance = distance_of(model, data.x, data.label, steps=40)
    right = supplied["logits"].argmax(1) == data.label  # type: ignore[operator, union-attr]
    assert right.sum() > 50
    assert (certificate[right] <= distance[""][right] + 1e-4).all()
    assert not distance[""][~right].any()
    tightness = metrics["tightness"](**supplied, certificate=certificate, steps=40)
    assert 0.5 < float(tightness.score[right].mean()) < 1
    radius = float(certificate[right].median())
    certified = metrics["certified_accuracy"](
        logits=supplied["logits"], label=data.label, certificate=certificate, epsilon=radius
    )[""]
    attacked = robust(model, data.x, data.label, epsilon=radius, steps=10)
    assert (certified <= attacked).all()
    assert (attacked <= right.float()).all()
    assert 0 < certified.sum() < right.sum()
    beyond = robust(model, data.x, data.label, epsilon=4 * radius, steps=10)
    assert beyond.mean() < 0.5


def test_the_margin_finds_what_cross_entropy_misses_where_logits_are_small() -> None:
    """Why attacks climb both: a softmax of small logits is flat, and cross-entropy flees all classes at once."""
    model = load_model("lipmlp.hkr", dataset="digits")
    data = load_data("digits", split="test", samples=30)
    supplied = given(model, data.x, data.label)
    plain = {"model": model, "x": data.x, "label": data.label, "steps": 50, "eps": 0.5, "momentum": 0.0}
    crossed, margins, both = (
        metrics["ara"](**plain, logits=supplied["logits"], loss=loss)[""].mean()
        for loss in ("cross_entropy", "margin", "both")
    )
    assert margins < 0.95 * crossed
    assert both <= torch.minimum(crossed, margins)
    assert supplied["logits"].abs().max() < 10  # type: ignore[union-attr]


needs_library = pytest.mark.skipif(
    importlib.util.find_spec("pyautoattack") is None, reason="pyautoattack is not installed"
)


@needs_library
@pytest.mark.parametrize("classes", [2, 5])
def test_autoattack_is_at_least_as_strong_as_pgd(classes: int) -> None:
    """With fewer than four classes an attack of the ensemble does not exist; the others still work."""
    with torch.random.fork_rng():
        torch.manual_seed(classes)
        net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, classes)).eval()
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    label = net(x).argmax(1)
    label[0] = (label[0] + 1) % classes
    distance = distance_of(net, x, label)[""]
    epsilon = float(
        distance.sort().values[2:].mean()
    )  # the farthest stays out of reach, and takes all attacks
    state = torch.get_rng_state()
    found = metrics["autoattack"](**given(net, x, label), epsilon=epsilon)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in net.parameters())
    assert (found <= robust(net, x, label, epsilon=epsilon)).all()
    assert found[0] == 0
    assert not found[distance < 0.9 * epsilon].any()
    assert (distance < 0.9 * epsilon).sum() > 1


def test_the_nearest_of_several_attacks_counts() -> None:
    """After few steps on a curved network neither attack is nearer everywhere; the order of the losses is nothing."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = nn.Sequential(nn.Flatten(), nn.Linear(36, 24), nn.Tanh(), nn.Linear(24, 5)).eval()
    with torch.no_grad():
        net[1].get_parameter("weight").mul_(3)
    x = torch.rand(40, 1, 6, 6, generator=torch.Generator().manual_seed(4))
    label = net(x).argmax(1)

    def distance(*losses) -> Tensor:  # noqa: ANN002
        return nearest_in_box(net, x, label, losses=losses, steps=4)[:, 0]

    odds, gap = distance(log_odds), distance(margin)
    assert (odds < gap - 1e-3).any()
    assert (gap < odds - 1e-3).any()
    assert torch.equal(distance(log_odds, margin), odds.minimum(gap))
    assert torch.equal(distance(margin, log_odds), odds.minimum(gap))


def test_pgd_starts_anywhere_in_the_box_of_its_radius(plane: Plane, x: Tensor) -> None:
    seen: list[Tensor] = []
    handle = plane.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().clone()))
    logits = plane(x).detach()
    metrics["pgd_accuracy"](
        model=plane,
        x=x,
        label=logits.argmax(1),
        logits=logits,
        norm="linf",
        epsilon=0.05,
        steps=1,
        restarts=1,
    )
    handle.remove()
    start = seen[1] - x
    assert -0.05 <= start.min() < -0.045
    assert 0.045 < start.max() <= 0.0501
    assert start.mean().abs() < 0.005
