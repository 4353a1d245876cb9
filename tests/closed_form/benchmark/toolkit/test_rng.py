"""Random numbers belong to a sample, a purpose and a seed, and to nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from xaiboard.benchmark.toolkit.rng import AT_ONCE, SampleRng, seed_word

Draw = Callable[[SampleRng, Tensor], Tensor]

DRAWS: list[Draw] = [
    lambda rng, like: rng.uniform(like, -1, 1),
    lambda rng, like: rng.normal(like, 0.5),
    lambda rng, like: rng.sign(like),
    lambda rng, like: rng.permutation(like, 9),
]


@pytest.fixture(params=DRAWS, ids=["uniform", "normal", "sign", "permutation"])
def draw(request: pytest.FixtureRequest) -> Draw:
    return request.param


def like(samples: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.empty(samples, 2, 3, dtype=dtype)


def test_does_not_depend_on_the_batch_or_its_order(draw: Draw) -> None:
    whole = draw(SampleRng(0, [5, 1, 9], "a"), like(3))
    assert torch.equal(draw(SampleRng(0, [9, 5], "a"), like(2)), whole[[2, 0]])
    assert torch.equal(draw(SampleRng(0, [1], "a"), like(1)), whole[1:2])


def test_differs_between_samples_seeds_and_purposes(draw: Draw) -> None:
    first, second = draw(SampleRng(0, [5, 6], "a"), like(2))
    assert not torch.equal(first, second)
    assert not torch.equal(draw(SampleRng(1, [5], "a"), like(1))[0], first)
    assert not torch.equal(draw(SampleRng(0, [5], "b"), like(1))[0], first)


def test_second_call_goes_on_in_the_stream(draw: Draw) -> None:
    rng = SampleRng(0, range(4), "a")
    assert not torch.equal(draw(rng, like(4)), draw(rng, like(4)))


def test_dtypes_see_the_same_numbers(draw: Draw) -> None:
    double, single = (
        draw(SampleRng(0, range(4), "a"), like(4, dtype)) for dtype in (torch.float64, torch.float32)
    )
    assert torch.equal(double.float(), single.float())


def test_takes_dtype_and_shape_of_like() -> None:
    rng = SampleRng(0, range(4), "a")
    assert rng.uniform(like(4, torch.float32)).dtype == torch.float32
    assert rng.normal(torch.empty(4)).shape == (4,)
    assert rng.permutation(like(4), 5).dtype == torch.int64


def test_moments() -> None:
    """Bounds of five standard errors, on 10^5 numbers."""
    n, big = 100_000, torch.empty(10, 10_000, dtype=torch.float64)
    rng = SampleRng(3, range(10), "moments")
    uniform, normal, sign = rng.uniform(big, -2, 4), rng.normal(big, 3.0), rng.sign(big)
    assert -2 <= uniform.min() <= uniform.max() < 4
    assert abs(uniform.mean() - 1) < 5 * 3**0.5 / n**0.5
    assert abs(uniform.var() - 3) < 5 * 3 * 0.8**0.5 / n**0.5
    assert abs(normal.mean()) < 5 * 3 / n**0.5
    assert abs(normal.var() - 9) < 5 * 9 * 2**0.5 / n**0.5
    assert set(sign.unique().tolist()) == {-1.0, 1.0}
    assert abs(sign.mean()) < 5 / n**0.5


def test_samples_are_uncorrelated() -> None:
    drawn = SampleRng(0, range(20), "a").normal(torch.empty(20, 2000, dtype=torch.float64))
    correlation = torch.corrcoef(drawn) - torch.eye(20)
    assert correlation.abs().max() < 5 / 2000**0.5


def test_permutations_are_permutations() -> None:
    drawn = SampleRng(0, range(50), "a").permutation(torch.empty(50, 1), 7)
    assert torch.equal(drawn.sort(1).values, torch.arange(7).expand(50, 7))
    assert len(set(drawn[:, 0].tolist())) == 7


def test_first_values_stay_what_they_are() -> None:
    """Published tables rest on these numbers: a library that changes them must be noticed."""
    one = torch.empty(1, 3, dtype=torch.float64)
    found = {
        "uniform": SampleRng(0, [7], "pinned").uniform(one)[0].tolist(),
        "normal": SampleRng(0, [7], "pinned").normal(one)[0].tolist(),
        "sign": SampleRng(0, [7], "pinned").sign(torch.empty(1, 8))[0].tolist(),
        "permutation": SampleRng(0, [7], "pinned").permutation(one, 6)[0].tolist(),
    }
    np.testing.assert_allclose(found["uniform"], UNIFORM, rtol=1e-15)
    np.testing.assert_allclose(found["normal"], NORMAL, rtol=1e-13)
    assert found["sign"] == SIGN
    assert found["permutation"] == PERMUTATION


def test_numbers_are_those_of_numpys_generator_in_parts_too() -> None:
    """A stream is Philox with the key (seed and purpose, sample), scaled in float64 and rounded once."""
    ids, part = [7, 2**63 + 1, 8], torch.empty(3, AT_ONCE // 2 + 1)  # more than are drawn at once
    rng = SampleRng(0, ids, "parts")
    drawn = rng.uniform(part, -1 / 3, 0.1), rng.normal(part, 1 / 3)
    for row, sample in enumerate(ids):
        key = np.array([seed_word(0, "parts"), sample], dtype=np.uint64)
        stream = np.random.Generator(np.random.Philox(key=key))
        expected = stream.uniform(-1 / 3, 0.1, part.shape[1]), 1 / 3 * stream.standard_normal(part.shape[1])
        for found, numbers in zip(drawn, expected, strict=True):
            assert torch.equal(found[row], torch.from_numpy(numbers).float())


UNIFORM = [0.5587425636542247, 0.8813374311105472, 0.23284307686043326]
NORMAL = [-0.47899472025079126, -0.04877612185282917, 1.174151716831156]
SIGN = [1.0, 1.0, -1.0, 1.0, -1.0, -1.0, -1.0, 1.0]
PERMUTATION = [1, 4, 0, 2, 3, 5]


def test_a_batch_of_another_size_is_our_bug() -> None:
    with pytest.raises(ValueError, match="serves 2 samples, asked for 3"):
        SampleRng(0, [1, 2], "a").uniform(like(3))
