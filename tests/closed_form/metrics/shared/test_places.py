"""Places of values in a row, against counting."""

import pytest
import torch
from xaiboard.metrics.shared.places import places


@pytest.mark.parametrize("largest", [0, 2, 10**6], ids=["all tied", "ties", "none tied"])
@pytest.mark.parametrize("shape", [(3, 1), (3, 40), (0, 4), (2, 0)])
def test_places_count_smaller_values_and_those_that_are_not_larger(
    shape: tuple[int, int], largest: int
) -> None:
    values = torch.randint(-largest, largest + 1, shape, generator=torch.Generator().manual_seed(0))
    below, upto = places(values)
    assert torch.equal(below, (values[:, None] < values[:, :, None]).sum(2))
    assert torch.equal(upto, (values[:, None] <= values[:, :, None]).sum(2))
