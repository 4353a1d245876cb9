"""The change of the logits on their own scale, on logits chosen by hand."""

from __future__ import annotations

import pytest
import torch
from xaiboard.benchmark import metrics

BEFORE = torch.tensor([[3.0, 0.0, -3.0], [3.0, 0.0, -3.0], [2.0, 2.0, 2.0], [1.0, 5.0, 9.0]]).double()
CHANGE = torch.tensor([[3.0, 0.0, -3.0], [-1.0, -1.0, -1.0], [1.0, 0.0, 0.0], [4.0, 0.0, -4.0]]).double()
TARGET = torch.tensor([0, 1, 0, 2])


def test_by_hand() -> None:
    """A shift of all is no change; equal logits have no scale; 1, 5, 9 moved onto their mean is a change of 1."""
    x = torch.zeros(4, 1, 2, 2).double()
    moved = x + torch.tensor([0.5, 0.25, 1.0, 0.0]).double().view(4, 1, 1, 1)
    for temperature in (1.0, 10.0):
        found = metrics["logit_change"](
            x=x,
            target=TARGET,
            logits=BEFORE / temperature,
            perturbed_x=moved,
            perturbed_logits=(BEFORE + CHANGE) / temperature,
        )
        assert [each.weight.tolist() for each in found.values()] == [[1, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 0]]
        known = [0, 1, 3]
        assert found[""].score[known].tolist() == pytest.approx([1, 0, 1])
        assert found["target"].score[known].tolist() == pytest.approx([0.5**0.5, 0, -(0.5**0.5)])
        assert found["target_per_rmse"].score[:2].tolist() == pytest.approx([2**0.5, 0])
