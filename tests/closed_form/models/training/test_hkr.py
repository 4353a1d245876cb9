"""The hKR losses against the formula in plain Python, against deel-torchlip, and against exact transport."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from deel.torchlip import HKRLoss, HKRMulticlassLoss, SoftHKRMulticlassLoss
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn.functional import one_hot
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.models.architectures import lipmlp
from xaiboard.models.training.finalise import constrain, finalise
from xaiboard.models.training.hkr import SoftHKR, binary_hkr, one_vs_all_hkr, soft_hkr


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
    """Values and gradients. The logits grow from step to step, so the running mean grows and the softmax flattens."""
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


def binary_slowly(scores: list[float], labels: list[int], alpha: float, margin: float) -> float:
    """The loss of a batch with both classes, in plain Python."""
    high = [score for score, label in zip(scores, labels, strict=True) if label == 1]
    low = [score for score, label in zip(scores, labels, strict=True) if label == 0]
    hinges = [max(0, margin / 2 - score) for score in high] + [max(0, margin / 2 + score) for score in low]
    transport = sum(high) / len(high) - sum(low) / len(low)
    return alpha * sum(hinges) / len(scores) - (1 - alpha) * transport


SETTINGS = pytest.mark.parametrize(("alpha", "margin"), [(0.0, 1.0), (0.9, 0.5), (0.98, 2.0), (1.0, 1.0)])


@SETTINGS
def test_binary_against_the_formula_in_plain_python(alpha: float, margin: float) -> None:
    scores, label = batch(9, 2, seed=1)
    loss = binary_hkr(scores[:, 0], label, alpha=alpha, min_margin=margin)
    assert loss.shape == ()
    expected = binary_slowly(scores[:, 0].tolist(), label.tolist(), alpha, margin)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


@SETTINGS
def test_one_against_all_is_a_mean_of_binary_losses(alpha: float, margin: float) -> None:
    """Except that the hinge of the true class counts K - 1 times."""
    logits, label = batch(30, 4, seed=1)
    losses = [
        binary_slowly(logits[:, k].tolist(), (label == k).long().tolist(), alpha, margin) for k in range(4)
    ]
    own = logits[torch.arange(30), label].tolist()
    extra = alpha * sum(2 * max(0, margin / 2 - value) for value in own) / (30 * 4)
    loss = one_vs_all_hkr(logits, label, alpha=alpha, min_margin=margin)
    assert loss.item() == pytest.approx(sum(losses) / 4 + extra, abs=1e-6)


def with_gradient(loss: Callable[[Tensor], Tensor], logits: Tensor) -> tuple[Tensor, Tensor]:
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits)
    return value.detach(), torch.autograd.grad(value, logits)[0]


LABELS = {
    "both classes": torch.tensor([0, 1, 1, 0, 1, 1, 1]),
    "zeros": torch.zeros(7, dtype=torch.int64),
    "ones": torch.ones(7, dtype=torch.int64),
}


@SETTINGS
@pytest.mark.parametrize("label", LABELS.values(), ids=list(LABELS))
def test_binary_equals_torchlip_with_a_missing_class_too(alpha: float, margin: float, label: Tensor) -> None:
    score = batch(7, 2, seed=1)[0][:, 0]
    ours = with_gradient(lambda s: binary_hkr(s, label, alpha=alpha, min_margin=margin), score)
    library = HKRLoss(alpha=alpha, min_margin=margin)
    theirs = with_gradient(lambda s: library(s[:, None], label[:, None]), score)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.isfinite().all()
        assert torch.allclose(mine, other, rtol=0, atol=1e-6)


@SETTINGS
@pytest.mark.parametrize("classes", [2, 5, 10])
def test_one_against_all_equals_torchlip_with_missing_classes_too(
    alpha: float, margin: float, classes: int
) -> None:
    logits, label = batch(8, classes, seed=1)
    assert len(label.unique()) < 10
    ours = with_gradient(lambda f: one_vs_all_hkr(f, label, alpha=alpha, min_margin=margin), logits)
    library = HKRMulticlassLoss(alpha=alpha, min_margin=margin)
    theirs = with_gradient(lambda f: library(f, one_hot(label, classes)), logits)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.isfinite().all()
        assert torch.allclose(mine, other, rtol=0, atol=1e-6)


def wasserstein(first: Tensor, second: Tensor) -> float:
    """Exact Wasserstein-1 distance between two sets of as many points."""
    cost = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    return float(cost[linear_sum_assignment(cost)].mean())


@pytest.fixture(scope="module")
def trained() -> tuple[nn.Module, Tensor, Tensor]:
    """A 1-Lipschitz network trained to maximise one-vs-all transport between two point clouds; points and labels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        x, label = torch.randn(256, 1, 1, 2), torch.arange(256) % 2
        x[label == 1] += 1
        plain = lipmlp((1, 1, 2), 2)
        network = constrain(plain)
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
        for _ in range(60):
            optimiser.zero_grad()
            one_vs_all_hkr(network(x), label, alpha=0).backward()
            optimiser.step()
        return finalise(network, plain, (1, 1, 2)), x, label


@torch.no_grad()
def test_the_transport_never_exceeds_the_exact_distance(trained: tuple[nn.Module, Tensor, Tensor]) -> None:
    """Kantorovich duality on the training points: for each logit, and for the mean over both."""
    network, x, label = trained
    exact = wasserstein(x[label == 1].flatten(1), x[label == 0].flatten(1))
    logits = network(x)
    binary = [-binary_hkr(sign * logits[:, k], label, alpha=0).item() for k, sign in ((0, -1), (1, 1))]
    assert max(binary) <= exact + 1e-5
    both = -one_vs_all_hkr(logits, label, alpha=0).item()
    assert both == pytest.approx(sum(binary) / 2, abs=1e-5)
    # The vector of both logits is 1-Lipschitz, and their transports are equally long at best.
    assert 0.9 * exact <= math.sqrt(2) * both <= exact + 1e-5
    assert -one_vs_all_hkr(1.5 * logits, label, alpha=0).item() * math.sqrt(2) > exact


def test_one_hot_labels_are_refused_even_when_they_would_broadcast() -> None:
    logits, label = batch(10, 10, seed=0)
    for wrong in (one_hot(label, 10), label.float(), label[:5]):
        with pytest.raises(XaiboardError, match="needs one integer label for each of 10 rows"):
            SoftHKR()(logits, wrong)


@pytest.mark.parametrize("loss", [one_vs_all_hkr, lambda f, label: binary_hkr(f[:, 0], label)])
def test_wrong_labels_of_a_batch_are_one_sentence(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    logits, label = batch(10, 10, seed=0)
    for wrong in (one_hot(label, 10), label.float(), label[:5]):
        with pytest.raises(
            XaiboardError, match=r"needs one integer label for each of 10 rows of logits; got \S+"
        ):
            loss(logits, wrong)


def test_binary_scores_are_one_for_each_sample_and_labels_are_0_or_1() -> None:
    label = torch.tensor([0, 1, 1])
    with pytest.raises(XaiboardError, match=r"got scores shaped \(3, 1\) and labels \[0, 1\]"):
        binary_hkr(torch.zeros(3, 1), label)
    with pytest.raises(XaiboardError, match=r"labels 0 or 1; got scores shaped \(3,\) and labels \[-1, 1\]"):
        binary_hkr(torch.zeros(3), 2 * label - 1)
