"""What a component returned is looked at value by value only where its sum is not finite."""

import pytest
import torch
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.engine.returned import require_finite


def test_finite_values_may_have_a_sum_that_is_not() -> None:
    large = torch.full((8,), torch.finfo(torch.float32).max)
    assert require_finite("method 'm'", "values", large, (8,)) is large


@pytest.mark.parametrize("bad", [[torch.inf, 1], [torch.inf, -torch.inf], [torch.nan, 0]])
def test_values_that_are_not_finite_are_refused(bad: list[float]) -> None:
    with pytest.raises(XaiboardError, match=r"method 'm' must return finite values shaped \(2,\)"):
        require_finite("method 'm'", "values", torch.tensor(bad), (2,))
