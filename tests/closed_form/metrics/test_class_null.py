"""Overlap with maps of other images of the same class, against the metric itself on each of these maps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import metrics

NAMES = [name for name in metrics if "above_class" in metrics[name].columns]


@pytest.mark.parametrize("name", NAMES)
def test_the_level_is_the_mean_score_of_the_other_maps(
    x: Tensor, random_map: Callable[..., Tensor], name: str
) -> None:
    a, perturbed = random_map(x), random_map(x) + random_map(x, 6)
    others = torch.stack([random_map(x, seed) for seed in (7, 8, 9)], 1)
    others[1, 2], others[2, 1:], others[3] = torch.nan, torch.nan, torch.nan
    settings = {"k": 9} if name == "topk_intersection" else {"k": 9, "window": 1}
    given = {"attribution": a, **settings}
    found = metrics[name](**given, perturbed_attribution=perturbed, class_attributions=others)
    plain = metrics[name](**given, perturbed_attribution=perturbed)
    assert set(found) - set(plain) == {"class_chance", "above_class"}
    torch.testing.assert_close({column: found[column] for column in plain}, plain)

    with_each = [metrics[name](**given, perturbed_attribution=other)[""] for other in others.unbind(1)]
    for image, known in enumerate((3, 2, 1, 0, 3, 3)):
        chance = np.mean([scores[image].item() for scores in with_each[:known]]) if known else 0
        share = plain[""][image].item()
        level, above = found["class_chance"], found["above_class"]
        assert (level.score[image].item(), level.weight[image].item()) == pytest.approx(
            (chance, float(known > 0))
        )
        assert above.weight[image].item() == pytest.approx((1 - chance) * (known > 0))
        if chance < 1:
            assert above.score[image].item() == pytest.approx((share - chance) / (1 - chance))


def test_sets_by_hand() -> None:
    """Of the two top pixels, the perturbed map keeps one, and the other maps have both and none."""
    one, both, none = [4.0, 3.0, 2.0, 1.0], [5.0, 9.0, 0.0, 1.0], [0.0, 1.0, 3.0, 4.0]
    found = metrics["topk_intersection"](
        attribution=torch.tensor([one, one]),
        perturbed_attribution=torch.tensor([[4.0, 0.0, 3.0, 1.0]] * 2),
        class_attributions=torch.tensor([[both, none], [both, both]]),
        k=2,
    )
    assert found["class_chance"].score.tolist() == [0.5, 1]
    assert found["above_class"].score.tolist() == [0, 0]
    assert found["above_class"].weight.tolist() == [0.5, 0]
