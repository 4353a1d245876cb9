from __future__ import annotations

import math

import pytest
import torch
from deel.torchlip import SoftHKRMulticlassLoss
from torch import Tensor
from torch.nn.functional import one_hot
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.models.hkr import SoftHKR, soft_hkr


def batch(rows: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, classes, generator=generator) * (1 + seed)
    return logits, torch.randint(classes, (rows,), generator=generator)


def slowly(values: list[float], true: int, sharpness: float, alpha: float, margin: float) -> float:
    """The loss of one sample, in plain Python."""
    others = [k for k in range(len(values)) if k != true]
    total = sum(math.exp(sharpness * values[k]) for k in others)
    weight = {k: math.exp(sharpness * values[k]) / total for k in others}
    transport = sum(weight[k] * values[k] for k in others) - values[true]
    hinge = max(0, margin / 2 - values[true]) + sum(
        weight[k] * max(0, margin / 2 + values[k]) for k in others
    )
    return (1 - alpha) * transport + alpha * hinge


@pytest.mark.parametrize(("alpha", "margin", "sharpness"), [(0, 1, 1), (0.9, 0.5, 3), (1, 2, 0.1)])
def test_against_the_formula_in_plain_python(alpha: float, margin: float, sharpness: float) -> None:
    logits, label = batch(6, 5, seed=0)
    loss = soft_hkr(logits, label, sharpness, alpha=alpha, min_margin=margin)
    expected = [
        slowly(row.tolist(), int(true), sharpness, alpha, margin)
        for row, true in zip(logits, label, strict=True)
    ]
    assert loss.tolist() == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.9, 1.0])
@pytest.mark.parametrize(("margin", "temperature"), [(1.0, 10.0), (0.1, 50.0), (2.0, 1.0)])
def test_equals_torchlip_over_several_steps(alpha: float, margin: float, temperature: float) -> None:
    """Values and gradients; the logits grow, so the running mean leaves its start and the softmax flattens."""
    ours = SoftHKR(alpha=alpha, min_margin=margin, temperature=temperature)
    theirs = SoftHKRMulticlassLoss(alpha=alpha, min_margin=margin, temperature=temperature)
    for step in range(8):
        logits, label = batch(12, 10, seed=step)
        mine, other = logits.clone().requires_grad_(), logits.clone().requires_grad_()
        value, expected = ours(mine, label), theirs(other, one_hot(label, 10))
        assert value.item() == pytest.approx(expected.item(), rel=1e-5)
        value.backward()
        expected.backward()
        assert mine.grad is not None
        assert other.grad is not None
        assert torch.allclose(mine.grad, other.grad, atol=1e-7)
        assert ours.mean.item() == pytest.approx(theirs.current_mean.item(), rel=1e-6)


def test_evaluation_leaves_the_running_mean_alone() -> None:
    loss = SoftHKR().eval()
    loss(*batch(12, 10, seed=9))
    assert loss.mean == 1
    assert list(loss.state_dict()) == ["mean"]
    loss.train()(*batch(12, 10, seed=9))
    assert loss.mean > 1


def test_one_hot_labels_are_refused_even_when_they_would_broadcast() -> None:
    logits, label = batch(10, 10, seed=0)
    for wrong in (one_hot(label, 10), label.float(), label[:5]):
        with pytest.raises(XaiboardError, match="needs one integer label for each of 10 rows"):
            SoftHKR()(logits, wrong)
