"""Patches erased or inserted alone."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.metrics.shared.baselines import baseline_image
from xaiboard.metrics.shared.patches import patch_drops, patch_gains, patch_sums

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]


@pytest.mark.parametrize("name", ["deletion", "insertion"])
@pytest.mark.parametrize("patch", [2, 3, 4])
def test_patches_of_the_exact_map_are_in_the_exact_order(
    measure: Measure, two_classes: nn.Module, w: Tensor, x: Tensor, target: Tensor, name: str, patch: int
) -> None:
    """A linear model with a zero baseline: a patch's change of logit is the sum of ``w x`` in it."""
    given = {"model": two_classes, "x": x, "target": target, "patch": patch}
    one = torch.ones(6).double()
    torch.testing.assert_close(measure(name, **given, attribution=w * x)["patch_correlation"], one)
    torch.testing.assert_close(measure(name, **given, attribution=-w * x)["patch_correlation"], -one)


def test_patches_are_erased_alone(measure: Measure, net: nn.Module, x: Tensor, random_map: Draw) -> None:
    """Drops and gains of a network that is not linear, patch by patch; 7 columns leave narrower ones."""
    target, erased = net(x).argmax(1), baseline_image(x, None, "blur")
    a, rows = random_map(x), torch.arange(6)
    corners = [(i, j) for i in (0, 4) for j in (0, 4)]
    expected: dict[str, list[Tensor]] = {"drops": [], "gains": [], "sums": []}
    with torch.no_grad():
        for i, j in corners:
            inside = torch.zeros_like(x, dtype=torch.bool)
            inside[:, :, i : i + 4, j : j + 4] = True
            without, alone = net(torch.where(inside, erased, x)), net(torch.where(inside, x, erased))
            expected["drops"].append((net(x) - without)[rows, target])
            expected["gains"].append((alone - net(erased))[rows, target])
            expected["sums"].append(torch.where(inside, a, 0).flatten(1).sum(1))
    drops, gains, sums = (torch.stack(values, 1) for values in expected.values())
    torch.testing.assert_close(patch_drops(net, x, target, None, baseline="blur", patch=4), drops)
    torch.testing.assert_close(patch_gains(net, x, target, None, baseline="blur", patch=4), gains)
    torch.testing.assert_close(patch_sums(a, 4), sums)
