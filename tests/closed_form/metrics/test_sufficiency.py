"""Sufficiency and comprehensiveness: linear probabilities, pixels kept or erased by a mask, degenerate maps."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, XaiboardError
from xaiboard.metrics.shared.baselines import Baseline, baseline_image

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]
KEPT = [1, 3, 6, 11, 28]
"""1, 5, 10, 20 and 50 % of 56 pixels."""


def test_a_linear_probability_loses_what_is_erased(
    measure: Measure, linear_probability: nn.Module, w: Tensor, x: Tensor, target: Tensor
) -> None:
    """``p = 0.1 + w x``: the top k pixels alone lose all that the others have; without them, what they have."""
    loss = x * 0.8 * w.abs() / w.abs().sum()
    largest = loss.sum(1).flatten(1).sort(1, descending=True).values
    top = torch.stack([largest[:, :k].sum(1) for k in KEPT], 1)
    given = {"model": linear_probability, "x": x, "target": target, "attribution": loss}
    torch.testing.assert_close(measure("comprehensiveness", **given)[""], top.mean(1))
    torch.testing.assert_close(
        measure("sufficiency", **given)[""], (largest.sum(1, keepdim=True) - top).mean(1)
    )
    for name, expected in (("comprehensiveness", top[:, 3]), ("sufficiency", largest[:, 11:].sum(1))):
        torch.testing.assert_close(measure(name, **given, share=0.2)[""], expected)
        worst = measure(name, **given | {"attribution": -loss}, share=0.2)[""]
        assert ((worst < expected) if name == "comprehensiveness" else (worst > expected)).all()


@pytest.mark.parametrize("baseline", ["zero", "mean", "blur"])
@pytest.mark.parametrize("name", ["sufficiency", "comprehensiveness"])
def test_agrees_with_inputs_made_by_a_mask(
    measure: Measure, net: nn.Module, x: Tensor, name: str, baseline: Baseline, random_map: Draw
) -> None:
    target, a, reference = net(x).argmax(1), random_map(x), Reference(torch.full_like(x[0], 0.3), x)
    erased = baseline_image(x, reference, baseline, 5.0)
    losses, kept = [], []
    with torch.no_grad():
        for k in KEPT:
            top = (
                torch.zeros(6, 56).scatter(1, a.sum(1).flatten(1).topk(k, dim=1).indices, 1).view(6, 1, 8, 7)
                > 0
            )
            changed = torch.where(top, x, erased) if name == "sufficiency" else torch.where(top, erased, x)
            gap = net(x).softmax(1) - net(changed).softmax(1)
            losses.append(gap[torch.arange(6), target])
            kept.append((net(changed).argmax(1) == target).double())
    given = {"model": net, "x": x, "target": target, "attribution": a, "reference": reference}
    found = measure(name, **given, baseline=baseline, blur=5.0)
    torch.testing.assert_close(found[""], torch.stack(losses).mean(0))
    torch.testing.assert_close(found["retention"], torch.stack(kept).mean(0))
    assert 0 < found["retention"].mean() < 1


def test_all_pixels_are_sufficient_and_comprehensive(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    given = {"model": net, "x": x, "target": net(x).argmax(1), "attribution": random_map(x), "share": 1.0}
    kept, gone = measure("sufficiency", **given), measure("comprehensiveness", **given)
    torch.testing.assert_close(kept[""], torch.zeros(6).double())
    assert torch.equal(kept["retention"], torch.ones(6).double())
    with torch.no_grad():
        lost = (net(x).softmax(1) - net(torch.zeros_like(x)).softmax(1))[torch.arange(6), given["target"]]
    torch.testing.assert_close(gone[""], lost)


@pytest.mark.parametrize("name", ["sufficiency", "comprehensiveness"])
def test_degenerate_maps(measure: Measure, net: nn.Module, x: Tensor, name: str) -> None:
    """Without order the same random pixels stay, whatever the constant; one hot pixel, however faint, is the first."""
    given = {"model": net, "x": x, "target": net(x).argmax(1)}
    found = [measure(name, **given, attribution=torch.full_like(x, value))[""] for value in (0.0, 2.0, -2.0)]
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    hot = torch.zeros_like(x)
    hot[:, :, 3, 2] = 1e-40
    top = torch.zeros_like(x, dtype=torch.bool)
    top[:, :, 3, 2] = True
    changed = torch.where(top == (name == "sufficiency"), x, 0)
    with torch.no_grad():
        expected = (net(x).softmax(1) - net(changed).softmax(1))[torch.arange(6), given["target"]]
    torch.testing.assert_close(measure(name, **given, attribution=hot, share=0.01)[""], expected)


@pytest.mark.parametrize("share", [0.0, 1.5, float("nan"), "half"])
@pytest.mark.parametrize("name", ["sufficiency", "comprehensiveness"])
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor, name: str, share: float
) -> None:
    with pytest.raises(XaiboardError, match=f"setting 'share' of '{name}' must be a number above 0"):
        measure(name, model=net, x=x, target=target, attribution=x, share=share)
