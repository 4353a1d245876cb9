"""Agreement of two maps: closed forms, loops, and a linear model on which saliency and SmoothGrad are one."""

from collections.abc import Callable

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.components.choice import choose
from xaiboard.metrics.rank_agreement import spearman

Measure = Callable[..., dict[str, Tensor]]


def test_is_made_of_signed_sums_and_of_large_magnitudes(measure: Measure, x: Tensor) -> None:
    a, b = x - 0.5, (x + x.flip(0)) ** 2 - 1
    found = measure("agreement", attribution=a, other_attribution=b, k=9)
    for i in range(6):
        ranks = [m[i].sum(0).flatten().argsort().argsort().double() for m in (a, b)]
        rho = torch.corrcoef(torch.stack(ranks))[0, 1]
        torch.testing.assert_close(found[""][i], rho)
        torch.testing.assert_close(found["distance"][i], 1 - rho)
        sets = [set(m[i].abs().sum(0).flatten().argsort(descending=True)[:9].tolist()) for m in (a, b)]
        share = len(sets[0] & sets[1]) / 9
        assert found["topk"][i].item() == pytest.approx(share)
        assert found["above_chance"][i].item() == pytest.approx((share - 9 / 56) / (1 - 9 / 56))
        apart = sum(
            (u - v) ** 2 for u, v in zip(a[i].flatten().tolist(), b[i].flatten().tolist(), strict=True)
        )
        assert found["l2"][i].item() == pytest.approx(apart**0.5)
    torch.testing.assert_close(found["chance"], torch.full((6,), 9 / 56).double())
    assert torch.equal(found["ties"], torch.zeros(6).double())


def test_the_same_opposite_and_no_map(measure: Measure, x: Tensor) -> None:
    """Of a zero map every pixel ties, so that the top pixels are the first."""
    a, zero = x - 0.5, torch.zeros_like(x)
    expected = {
        "same": (a, 5 * a, [1, 0, 0, 1, 1]), "opposite": (a, -a, [-1, 2, 2, 1, 1]),
        "zero": (a, zero, [0, 1, 1, None, None]), "zeros": (zero, zero, [0, 1, 0, 1, 1]),
        "constant": (a, zero + 1, [0, 1, None, None, None]),
    }  # fmt: skip
    for one, other, values in expected.values():
        for pair in ((one, other), (other, one)):
            found = measure("agreement", attribution=pair[0], other_attribution=pair[1], k=9)
            assert all(column.isfinite().all() for column in found.values())
            for name, value in zip(("", "distance", "unit_l2", "topk", "above_chance"), values, strict=True):
                if value is not None:
                    torch.testing.assert_close(found[name], torch.full((6,), float(value)).double())


def test_the_l2_distance_alone_knows_the_scale(measure: Measure, x: Tensor) -> None:
    a, b = x - 0.5, x.flip(0) - 0.4
    one = measure("agreement", attribution=a, other_attribution=b, k=9)
    for scale in (1e-30, 1e10):
        other = measure("agreement", attribution=scale * a, other_attribution=scale * b, k=9)
        other["l2"] /= scale
        torch.testing.assert_close(other, one)
    mixed = measure("agreement", attribution=a, other_attribution=100 * b, k=9)
    assert (mixed.pop("l2") > 50 * one["l2"]).all()
    torch.testing.assert_close(mixed, {name: value for name, value in one.items() if name != "l2"})


def test_unit_maps_are_as_far_apart_as_the_angle_says(measure: Measure, x: Tensor) -> None:
    """``|u - v|^2 = 2 - 2 cos``."""
    a, b = x - 0.5, x.flip(0) - 0.4
    cosine = torch.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)
    found = measure("agreement", attribution=a, other_attribution=b, k=9)["unit_l2"]
    torch.testing.assert_close(found, (2 - 2 * cosine).sqrt())


def test_channels_that_cancel_have_a_magnitude_and_no_order(measure: Measure, x: Tensor) -> None:
    """Unlike the metric ``spearman``, which ranks magnitudes as its paper does."""
    a = torch.cat([x[:, :1], -x[:, :1]], 1)
    found = measure("agreement", attribution=a, other_attribution=a, k=9)
    assert torch.equal(found[""], torch.zeros(6).double())
    assert torch.equal(found["topk"], torch.ones(6).double())
    torch.testing.assert_close(spearman(a, a), torch.ones(6).double())


def test_ties_are_those_of_the_map_that_has_more(measure: Measure, x: Tensor) -> None:
    a, ones = x - 0.5, torch.ones_like(x)
    for pair in ((a, ones), (ones, a)):
        found = measure("agreement", attribution=pair[0], other_attribution=pair[1], k=9)
        assert torch.equal(found["ties"], torch.ones(6).double())


def test_saliency_is_smoothgrad_on_a_linear_model(
    measure: Measure, two_classes: nn.Module, x: Tensor
) -> None:
    target = torch.zeros(6, dtype=torch.int64)
    maps = [xb.methods[name](model=two_classes, x=x, target=target) for name in ("saliency", "smoothgrad")]
    found = measure("agreement", attribution=maps[0], other_attribution=maps[1], k=9)
    torch.testing.assert_close(found[""], torch.ones(6).double())
    torch.testing.assert_close(found["topk"], torch.ones(6).double())
    for name in ("l2", "unit_l2"):
        torch.testing.assert_close(found[name], torch.zeros(6).double())


def test_compares_with_smoothgrad_unless_told_otherwise() -> None:
    metric = xb.metrics["agreement"]
    for settings, other in (({}, "smoothgrad"), ({"other": "saliency"}, "saliency")):
        base = choose(metric, settings).base
        assert base is not None
        assert base.component.name == other


def test_a_set_has_at_most_all_pixels(measure: Measure, x: Tensor) -> None:
    with pytest.raises(XaiboardError, match="setting 'k' of 'agreement' must be at most the 56 pixels"):
        measure("agreement", attribution=x, other_attribution=x, k=57)
