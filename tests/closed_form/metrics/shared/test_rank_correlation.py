import pytest
import torch
from scipy.stats import rankdata, spearmanr
from xaiboard.metrics.shared.rank_correlation import average_ranks, spearman


@pytest.mark.parametrize("levels", [3, 10, 10_000])
def test_agrees_with_scipy_on_ties(levels: int) -> None:
    a, b = torch.randint(-levels, levels, (2, 7, 30), generator=torch.Generator().manual_seed(levels))
    for row, expected in zip(average_ranks(a), a, strict=True):
        assert (row.numpy() == rankdata(expected.numpy()) - 1).all()
    expected = [spearmanr(first, second)[0] for first, second in zip(a, b, strict=True)]
    torch.testing.assert_close(spearman(a.double(), b.double()), torch.tensor(expected, dtype=torch.float64))


def test_a_constant_row_orders_nothing() -> None:
    a = torch.stack([torch.zeros(5), torch.full((5,), -3.0), torch.arange(5.0)])
    b = torch.arange(5.0).expand(3, 5)
    assert torch.equal(spearman(a, b), torch.tensor([0.0, 0.0, 1.0]))
    assert torch.equal(spearman(b, a), torch.tensor([0.0, 0.0, 1.0]))


@pytest.mark.parametrize("pixels", [56, 784, 30_000])
def test_a_row_agrees_with_itself_exactly(pixels: int) -> None:
    a = torch.randn(16, pixels, generator=torch.Generator().manual_seed(0)).round(decimals=2)
    assert torch.equal(spearman(a, 3 * a), torch.ones(16))
    assert torch.equal(spearman(a, -a), -torch.ones(16))
