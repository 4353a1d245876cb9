"""Any Quantus metric by name: equal to calling it by hand, alone with its random numbers, and its failures."""

import ast
import importlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.shared.quantus_bridge import one_by_one

quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
pytestmark = pytest.mark.filterwarnings("ignore")
Measure = Callable[..., dict[str, Tensor]]
PLAIN = {"abs": False, "normalise": False, "disable_warnings": True}


@pytest.fixture(params=[(1, torch.float32), (3, torch.float64)], ids=["grey float32", "rgb float64"])
def x(request: pytest.FixtureRequest) -> Tensor:
    channels, dtype = request.param
    x = torch.rand(4, channels, 7, 6, generator=torch.Generator().manual_seed(0)).to(dtype)
    x[:, :, 0, 0] = 0  # Quantus' black is the darkest value of an image
    return x


@pytest.fixture
def net(x: Tensor) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Flatten(), nn.Linear(x[0].numel(), 12), nn.Tanh(), nn.Linear(12, 2)
        return nn.Sequential(*layers).to(x.dtype).eval()


@pytest.fixture
def given(net: nn.Module, x: Tensor) -> dict[str, Any]:
    target = torch.arange(4) % 2

    def explain(
        z: Tensor, *, model: nn.Module | None = None, target: Tensor = target, sample: int = 0
    ) -> Tensor:
        return xb.methods["saliency"](model=net if model is None else model, x=z, target=target).detach()

    return {"model": net, "x": x, "target": target, "explain": explain, "attribution": explain(x)}


def score(
    metric: str, given: dict[str, Any], ids: Sequence[int] = range(4), seed: int = 0, **settings: object
) -> Tensor:
    return xb.metrics[metric](**given, rng=SampleRng(seed, ids, metric), **settings)


def states() -> tuple[object, ...]:
    """Of the global generators of random numbers."""
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index] # noqa: NPY002


def test_scores_are_those_of_our_own(measure: Measure, given: dict[str, Any]) -> None:
    """Sparseness is the Gini index of all elements, up to 1e-7 that Quantus adds to each; the game is the game."""
    a = given["attribution"]
    found = score("quantus", given, name="Sparseness", absolute=True)
    torch.testing.assert_close(found, measure("gini", attribution=a.flatten(1))[""], atol=1e-5, rtol=0)
    mask = torch.rand(4, 1, 7, 6, generator=torch.Generator().manual_seed(2)) > 0.5
    masked = {**given, "mask": mask}
    hits = measure("pointing_game", attribution=a, mask=mask)[""]
    torch.testing.assert_close(score("quantus_localisation", masked), hits)
    mass = score("quantus_localisation", masked, name="RelevanceMassAccuracy", absolute=True)
    ours = measure("relevance_mass", attribution=a.sum(1, keepdim=True), mask=mask, relevance="absolute")[""]
    torch.testing.assert_close(mass, ours)


def test_signed_maps_stay_signed_unless_asked(measure: Measure, given: dict[str, Any]) -> None:
    signed, absolute = (
        score("quantus", given, name="Sparseness", absolute=absolute) for absolute in (False, True)
    )
    assert (signed - absolute).abs().min() > 0.1


def test_maps_are_not_scaled_unless_asked(given: dict[str, Any]) -> None:
    """Effective complexity counts the elements above 1e-5, of the largest if the map is normalised."""
    small = {**given, "attribution": 1e-6 * given["attribution"].tanh()}
    settings = {"name": "EffectiveComplexity", "absolute": True}
    assert score("quantus", small, **settings).tolist() == [0] * 4
    assert (score("quantus", small, **settings, normalise=True) > 30).all()


def test_a_metric_of_ones_own_has_settings_and_reads_curves(
    measure: Measure, given: dict[str, Any], x: Tensor
) -> None:
    """The curve of deletion, on grey images: of several colours Quantus erases one at a time."""

    def flip() -> object:
        return quantus.PixelFlipping(features_in_step=2, perturb_baseline="black", **PLAIN)

    rng = SampleRng(0, range(4), "")
    found = one_by_one(flip, **given, rng=rng, read=lambda curve: float(np.mean(curve)))
    known = {key: given[key] for key in ("model", "x", "target", "attribution")}
    curve = measure("deletion", **known, steps=21, reference=None)["curve"]
    assert torch.allclose(found, curve[:, 1:].mean(1), atol=1e-5) == (x.shape[1] == 1)


def faithfulness() -> object:
    return quantus.FaithfulnessCorrelation(subset_size=9, nr_runs=10, **PLAIN)


def test_random_numbers_follow_the_seed(given: dict[str, Any]) -> None:
    first, again, other = (
        one_by_one(faithfulness, **given, rng=SampleRng(seed, range(4), "")) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert (first - other).abs().min() > 1e-3


def test_scores_do_not_depend_on_the_batch(net: nn.Module, x: Tensor) -> None:
    """As they do where Quantus is called on a batch; also what is explained again."""

    def explain(z: Tensor, *, model: nn.Module, target: Tensor, sample: int = 0) -> Tensor:
        return xb.methods["saliency"](model=model, x=z, target=target).detach()

    def max_sensitivity() -> object:
        return quantus.MaxSensitivity(nr_samples=3, **PLAIN)

    target = torch.arange(4) % 2
    attribution = explain(x, model=net, target=target)
    for make in (faithfulness, max_sensitivity):
        scores = [
            one_by_one(
                make, net, x[rows], target[rows], attribution[rows], explain, SampleRng(0, range(4)[rows], "")
            )
            for rows in (slice(0, 4), slice(0, 1), slice(1, 4))
        ]
        torch.testing.assert_close(torch.cat(scores[1:]), scores[0])
        assert len(set(scores[0].tolist())) == 4


def test_nothing_global_is_disturbed(given: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    asserts = quantus.helpers.asserts.assert_attributions
    before = states()
    one_by_one(faithfulness, **given, rng=SampleRng(0, range(4), ""))
    score("quantus", given, name="Sparseness", absolute=False)  # prints that it wants magnitudes
    with pytest.raises(XaiboardError):
        score("quantus", given, name="PixelFlipping")
    assert states() == before
    assert quantus.helpers.asserts.assert_attributions is asserts
    assert capsys.readouterr().out == ""


def test_explains_the_class_and_the_network_that_quantus_asks_for(
    measure: Measure, given: dict[str, Any], net: nn.Module, x: Tensor
) -> None:
    """Its random logit, where there is one other class; its randomised networks, none of which is ours."""
    similar = quantus.similarity_func.correlation_spearman
    rng = SampleRng(0, range(4), "")
    found = one_by_one(
        lambda: quantus.RandomLogit(num_classes=2, similarity_func=similar, **PLAIN),
        **given,
        rng=rng,
    )
    target, a, explain = given["target"], given["attribution"], given["explain"]
    ours = measure(
        "random_logit",
        x=x.flatten(1),
        target=target,
        attribution=a.flatten(1),
        explain=lambda z, target: explain(z.view_as(x), target=target).flatten(1),
        logits=net(x).detach(),
    )[""]
    torch.testing.assert_close(found, ours, atol=2e-3, rtol=0)

    before = [parameter.clone() for parameter in net.parameters()]
    last = one_by_one(
        lambda: quantus.MPRT(similarity_func=similar, return_last_correlation=True, **PLAIN),
        **given,
        rng=rng,
        read=lambda scores: scores[0],
    )
    assert (last.abs() < 0.9).all()
    assert all(torch.equal(one, other) for one, other in zip(before, net.parameters(), strict=True))


def test_vectors(measure: Measure) -> None:
    x = torch.rand(3, 20, generator=torch.Generator().manual_seed(0))
    net = nn.Linear(20, 2).eval()
    given = {
        "model": net,
        "x": x,
        "target": torch.zeros(3).long(),
        "explain": lambda z, **_: z,
        "attribution": x,
    }
    found = score("quantus", given, range(3))
    torch.testing.assert_close(found, measure("gini", attribution=x)[""], atol=1e-5, rtol=0)


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0], ids=["zero", "one", "negative"])
def test_maps_that_quantus_refuses_are_scored(measure: Measure, given: dict[str, Any], value: float) -> None:
    x = given["x"]
    given = {**given, "attribution": torch.full_like(x, value)}
    torch.testing.assert_close(score("quantus", given), torch.zeros_like(x[:, 0, 0, 0]))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Sparsness", "no Quantus metric named 'Sparsness'; did you mean 'Sparseness'"),
        ("xyz", "no Quantus metric named 'xyz'; known: .*Infidelity"),
        ("PointingGame", r"use quantus_localisation\[name=PointingGame\]"),
        ("Consistency", "compares the samples of a batch"),
        ("PixelFlipping", r"returns list of shape \(1, (42|126)\) for a sample, expected one number"),
        ("MPRT", "returns dict"),
    ],
)
def test_what_gives_no_score_is_refused(given: dict[str, Any], name: str, message: str) -> None:
    with pytest.raises(XaiboardError, match=message):
        score("quantus", given, name=name)


@pytest.mark.skipif(hasattr(np, "trapz"), reason="numpy has trapz")
def test_a_failure_in_quantus_costs_its_own_cell(tmp_path: Path) -> None:
    done = xb.run(
        dataset="digits", models="linear.standard", methods="saliency", samples=2, out=tmp_path, progress=False,
        metrics="gini,quantus[name=IROF],quantus[name=Sparseness,absolute=true]", perturbations="",
    )  # fmt: skip
    cells = done.cells.set_index("settings")
    assert list(done.cells["status"]) == ["ok", "failed", "ok"]
    note = cells.loc[cells.index.str.contains("IROF"), "note"].iloc[0]
    assert "trapz" in note
    board = done.leaderboard
    assert board.loc[board["metric"] == "quantus", "rank"].isna().all()


@pytest.mark.parametrize("module", ["quantus_adapter", "shared.quantus_bridge"])
def test_quantus_is_imported_when_asked_for(module: str) -> None:
    path = importlib.import_module(f"xaiboard.metrics.{module}").__file__
    assert path is not None
    for node in ast.walk(ast.parse(Path(path).read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not [name for name in names if name.partition(".")[0] == "quantus"]
