import torch
from xaiboard.benchmark import perturbations
from xaiboard.benchmark.perturbations.sign_noise import sign_noise
from xaiboard.benchmark.toolkit.rng import SampleRng


def test_moves_every_value_by_eps_or_to_the_border() -> None:
    x = torch.rand(4, 3, 20, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = sign_noise(x, SampleRng(0, range(4), "sign_noise"), eps=0.1)
    up, down = (x + 0.1).clamp(max=1), (x - 0.1).clamp(min=0)
    assert ((moved == up) | (moved == down)).all()
    assert moved.min() >= 0
    assert moved.max() <= 1
    # 4,800 fair coins: four standard deviations are 0.029 of them.
    assert abs((moved > x).double().mean() - 0.5) < 0.029


def test_is_that_of_the_sample_whatever_its_batch() -> None:
    x = torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    whole = sign_noise(x, SampleRng(3, range(5), "sign_noise"))
    alone = [sign_noise(x[i : i + 1], SampleRng(3, [i], "sign_noise")) for i in range(5)]
    assert torch.equal(torch.cat(alone), whole)
    assert not torch.equal(whole, sign_noise(x, SampleRng(4, range(5), "sign_noise")))


def test_leaves_the_input_alone() -> None:
    x = torch.full((2, 4), 0.5)
    sign_noise(x, SampleRng(0, range(2), "sign_noise"), eps=0.25)
    assert torch.equal(x, torch.full((2, 4), 0.5))


def test_is_registered_with_its_default() -> None:
    assert perturbations["sign_noise"].settings["eps"].default == 0.1
