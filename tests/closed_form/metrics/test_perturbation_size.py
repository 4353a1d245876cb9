"""The size of a perturbation and the fate of the prediction, on logits chosen by hand."""

from collections.abc import Callable, Mapping
from math import exp

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import metrics
from xaiboard.benchmark.components.kinds import Weighted

BEFORE = torch.tensor([[2.0, 0.0, 1.0], [2.0, 0.0, 1.0], [0.0, 2.0, 1.0], [0.0, 2.0, 1.0]]).double()
AFTER = torch.tensor([[2.5, 0.0, 2.0], [2.0, 5.0, 0.0], [0.0, 4.0, 9.0], [0.0, 9.0, 1.0]]).double()
TARGET = BEFORE.argmax(1)


@pytest.fixture
def size(x: Tensor) -> Callable[..., Mapping[str, Tensor | Weighted]]:
    def call(**changed: Tensor) -> Mapping[str, Tensor | Weighted]:
        given = {
            "x": x[:4],
            "target": TARGET,
            "logits": BEFORE,
            "perturbed_x": x[:4],
            "perturbed_logits": AFTER,
        }
        return metrics["perturbation_size"].function(**{**given, **changed})

    return call


def test_norms_are_those_of_all_elements(size: Callable[..., dict[str, Tensor]], x: Tensor) -> None:
    one, every = x[:4].clone(), x[:4] - 0.25
    one[:, 0, 2, 3] += 0.5
    for perturbed, l2, linf in ((one, 0.5, 0.5), (every, 0.25 * x[0].numel() ** 0.5, 0.25), (x[:4], 0, 0)):
        found = size(perturbed_x=perturbed)
        torch.testing.assert_close(found[""], torch.full((4,), l2).double())
        torch.testing.assert_close(found["linf"], torch.full((4,), linf).double())


def test_the_prediction_holds_where_its_logit_stays_the_largest(
    size: Callable[..., dict[str, Tensor]],
) -> None:
    assert size()["held"].tolist() == [1, 0, 0, 1]
    assert size(target=torch.zeros(4, dtype=torch.int64))["held"].tolist() == [
        1,
        0,
        0,
        1,
    ]  # whatever is explained


def test_output_change_is_the_total_variation_distance(size: Callable[..., dict[str, Tensor]]) -> None:
    found = size()["output_change"]
    for change, before, after in zip(found.tolist(), BEFORE.tolist(), AFTER.tolist(), strict=True):
        p, q = ([exp(z) / sum(map(exp, row)) for z in row] for row in (before, after))
        assert change == pytest.approx(sum(max(a - b, 0) for a, b in zip(p, q, strict=True)), abs=1e-12)
    sure = 400 * torch.eye(3).double()
    opposite = size(logits=sure[[0, 1, 2, 0]], perturbed_logits=sure[[1, 1, 0, 2]])["output_change"]
    assert opposite.tolist() == [1, 0, 1, 1]


def test_the_margin_that_is_kept(size: Callable[..., dict[str, Weighted]]) -> None:
    """Leads of 1 before; after: 2.5 - 2, 2 - 5 (cut at -2), 4 - 9 (cut), 9 - 1 (cut at 2)."""
    kept = size()["margin_kept"]
    assert kept.score.tolist() == [0.5, -2, -2, 2]
    assert kept.weight.tolist() == [1, 1, 1, 1]
    behind = size(target=torch.tensor([0, 1, 2, 0]))["margin_kept"]
    assert behind.weight.tolist() == [1, 0, 0, 0]
    assert behind.score.tolist() == [0.5, 0, 0, 0]


@pytest.mark.parametrize("temperature", [0.25, 4.0])
def test_the_temperature_changes_the_softmax_alone(
    size: Callable[..., dict[str, Tensor | Weighted]], temperature: float
) -> None:
    one, other = size(), size(logits=BEFORE / temperature, perturbed_logits=AFTER / temperature)
    assert not torch.allclose(other["output_change"], one["output_change"])  # pyright: ignore[reportArgumentType]
    for name in ("", "linf", "held"):
        assert torch.equal(other[name], one[name])  # pyright: ignore[reportArgumentType]
    means = [
        (kept.score * kept.weight).sum() / kept.weight.sum()
        for kept in (one["margin_kept"], other["margin_kept"])
        if isinstance(kept, Weighted)
    ]
    torch.testing.assert_close(means[0], means[1])


def test_a_tie_and_a_lead_next_to_nothing_are_finite(size: Callable[..., dict[str, Weighted]]) -> None:
    tie = BEFORE.clone()
    tie[0, 2], tie[1, 2] = 2.0, 2.0 - 1e-15
    kept = size(logits=tie)["margin_kept"]
    assert kept.score.isfinite().all()
    assert (kept.score[0], kept.weight[0]) == (0, 0)
    assert kept.score[1] == -2
