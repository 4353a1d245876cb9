"""Methods that remove patches: closed forms, exact enumeration, and slow loops that share only the definition."""

from collections.abc import Callable, Sequence
from itertools import permutations, product
from math import ceil, comb

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import Tensor, nn
from torch.nn.functional import interpolate
from xaiboard.benchmark import XaiboardError, methods
from xaiboard.benchmark.methods.rise import TOGETHER, _masks
from xaiboard.benchmark.toolkit.rng import SampleRng

Attribute = Callable[..., Tensor]


@pytest.fixture
def interacting() -> nn.Sequential:
    """Logits in which pixels interact, for 3x4 RGB images."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        layers = [nn.Flatten(), nn.Linear(36, 8), nn.Tanh(), nn.Linear(8, 4)]
        return nn.Sequential(*layers).double().eval()


@pytest.fixture
def small() -> Tensor:
    return 2 * torch.rand(5, 3, 3, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def blocks(height: int, width: int, patch: int) -> list[tuple[slice, slice]]:
    return [
        (slice(top, top + patch), slice(left, left + patch))
        for top in range(0, height, patch)
        for left in range(0, width, patch)
    ]


def value(
    model: nn.Module, image: Tensor, k: int, present: set[int], baseline: float, patch: int = 2
) -> float:
    """The logit when only the patches ``present`` are left."""
    left = torch.full_like(image, baseline)
    for number, (rows, columns) in enumerate(blocks(image.shape[1], image.shape[2], patch)):
        if number in present:
            left[:, rows, columns] = image[:, rows, columns]
    with torch.no_grad():
        return float(model(left[None])[0, k])


def shared(values: Sequence[float] | Sequence[Tensor] | np.ndarray, image: Tensor, patch: int = 2) -> Tensor:
    """A map whose sums over patches are ``values``, equal within each."""
    found = torch.zeros_like(image)
    for number, (rows, columns) in enumerate(blocks(image.shape[1], image.shape[2], patch)):
        found[:, rows, columns] = float(values[number]) / found[:, rows, columns].numel()
    return found


def shapley(model: nn.Module, image: Tensor, k: int, baseline: float) -> list[float]:
    """Mean gain over all 24 orders of the 2x2 patches."""
    gains = [0.0] * 4
    for order in permutations(range(4)):
        for place, player in enumerate(order):
            before = set(order[:place])
            gain = value(model, image, k, before | {player}, baseline)
            gains[player] += (gain - value(model, image, k, before, baseline)) / 24
    return gains


@pytest.mark.parametrize("name", ["feature_ablation", "shapley_sampling", "kernel_shap", "lime"])
@pytest.mark.parametrize("baseline", [0.0, 0.3])
def test_of_a_linear_model_a_patch_gets_its_weight_times_displacement(
    attribute: Attribute,
    linear: nn.Module,
    weight: Tensor,
    x: Tensor,
    target: Tensor,
    name: str,
    baseline: float,
) -> None:
    settings = {"lime": {"ridge": 1e-9}}.get(name, {})
    expected = torch.stack(
        [
            shared(
                [(weight[k] * (image - baseline))[:, *block].sum() for block in blocks(12, 10, 4)], image, 4
            )
            for image, k in zip(x, target, strict=True)
        ]
    )
    found = attribute(name, linear, x, target, patch=4, baseline=baseline, **settings)
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-7)


def test_feature_ablation_is_the_drop_without_each_patch(
    attribute: Attribute, interacting: nn.Module, small: Tensor, target: Tensor
) -> None:
    everyone = set(range(4))
    expected = torch.stack(
        [
            shared(
                [
                    value(interacting, image, k, everyone, 0.5)
                    - value(interacting, image, k, everyone - {p}, 0.5)
                    for p in range(4)
                ],
                image,
            )
            for image, k in zip(small, target.tolist(), strict=True)
        ]
    )
    found = attribute("feature_ablation", interacting, small, target, patch=2, baseline=0.5)
    torch.testing.assert_close(found, expected)


def test_feature_ablation_is_occlusion_shared_out(
    attribute: Attribute, cnn: nn.Module, images: Tensor, target: Tensor
) -> None:
    whole = attribute("occlusion", cnn, images, target, window=2, stride=2)
    torch.testing.assert_close(attribute("feature_ablation", cnn, images, target, patch=2), whole / (3 * 4))


def test_kernel_shap_with_all_coalitions_is_the_shapley_value(
    attribute: Attribute, interacting: nn.Module, small: Tensor, target: Tensor
) -> None:
    expected = torch.stack(
        [
            shared(shapley(interacting, image, k, 0.4), image)
            for image, k in zip(small, target.tolist(), strict=True)
        ]
    )
    found = attribute("kernel_shap", interacting, small, target, patch=2, baseline=0.4, draws=14)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    # one fewer, and coalitions are drawn: most of the seven pairs are there, but not with the kernel's weights
    sampled = attribute("kernel_shap", interacting, small, target, patch=2, baseline=0.4, draws=13)
    assert not torch.allclose(sampled, expected, rtol=1e-3)


@pytest.fixture
def vectors() -> tuple[nn.Module, Tensor, Tensor]:
    """Eight features that interact: a model, inputs, and their exact Shapley values of logit 1."""
    with torch.random.fork_rng():
        torch.manual_seed(6)
        model = nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 4)).double().eval()
        x = 2 * torch.rand(3, 8, dtype=torch.float64)
    subsets = torch.tensor(list(product([0.0, 1.0], repeat=8)), dtype=torch.float64)
    sizes = subsets.sum(1).long()
    exact = []
    with torch.no_grad():
        for image in x:
            logits = model(subsets * image)[:, 1]
            values = []
            for player in range(8):
                without = subsets[:, player] == 0
                weights = 1 / (8 * torch.tensor([comb(7, int(size)) for size in sizes[without]]).double())
                with_player = logits[torch.nonzero(without)[:, 0] + 2 ** (7 - player)]
                values.append((weights * (with_player - logits[without])).sum())
            exact.append(torch.stack(values))
    return model, x, torch.stack(exact)


@pytest.mark.parametrize(
    ("name", "draws"), [("kernel_shap", 254), ("kernel_shap", 200), ("shapley_sampling", 200)]
)
def test_estimates_tend_to_the_shapley_values(
    attribute: Attribute, vectors: tuple[nn.Module, Tensor, Tensor], name: str, draws: int
) -> None:
    model, x, exact = vectors
    found = attribute(name, model, x, torch.ones(3, dtype=torch.long), patch=1, draws=draws)
    tolerance = 1e-9 if draws == 254 else 0.05 * float(exact.abs().max())
    torch.testing.assert_close(found, exact, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ["kernel_shap", "shapley_sampling"])
@pytest.mark.parametrize("draws", [1, 4])
def test_estimates_sum_to_the_change_of_the_logit_however_few_the_draws(
    attribute: Attribute, interacting: nn.Module, small: Tensor, target: Tensor, name: str, draws: int
) -> None:
    found = attribute(name, interacting, small, target, patch=1, draws=draws, baseline=0.2)
    with torch.no_grad():
        change = interacting(small) - interacting(torch.full_like(small, 0.2))
    torch.testing.assert_close(found.flatten(1).sum(1), change.gather(1, target[:, None])[:, 0])


@pytest.mark.parametrize("name", ["kernel_shap", "shapley_sampling", "feature_ablation"])
def test_a_single_patch_gets_everything(
    attribute: Attribute, interacting: nn.Module, small: Tensor, target: Tensor, name: str
) -> None:
    found = attribute(name, interacting, small, target, patch=9)
    with torch.no_grad():
        change = (interacting(small) - interacting(0 * small)).gather(1, target[:, None])
    torch.testing.assert_close(found, (change / 36)[:, :, None, None].expand_as(small))


def test_lime_is_the_ridge_regression_of_scikit_learn(
    attribute: Attribute, interacting: nn.Module, small: Tensor, target: Tensor
) -> None:
    """One sample after the other, on the subsets that its random numbers give."""
    rng = SampleRng(0, range(5), "lime")
    subsets = torch.stack([rng.sign(small.new_zeros(5, 4)) for _ in range(30)], 1) > 0
    expected = []
    for image, k, present in zip(small, target.tolist(), subsets.numpy(), strict=True):
        logits = [value(interacting, image, k, set(np.flatnonzero(row).tolist()), 0.1) for row in present]
        cosine = present.sum(1) / np.sqrt(4 * present.sum(1).clip(1))
        weights = np.exp(-(((1 - cosine) / 0.4) ** 2))
        fitted = Ridge(alpha=0.5).fit(present.astype(float), logits, sample_weight=weights)
        expected.append(shared(fitted.coef_, image))
    found = attribute(
        "lime", interacting, small, target, draws=30, patch=2, width=0.4, ridge=0.5, baseline=0.1
    )
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-7, atol=1e-9)


def test_rise_tends_to_its_expectation_on_a_linear_model(attribute: Attribute) -> None:
    """Pixel j of ``E[f(x M) M_j] / p`` is ``b + sum_i w_i x_i E[M_i M_j] / p``, and a mask is linear in its cells.

    ``E[M_i M_j] = p^2 + p (1 - p) sum_c k_ic k_jc``, averaged over shifts, k the weights of the enlargement. The
    mean of n draws is within five standard errors, estimated from as many parts.
    """
    grid, p, parts = 2, 0.3, 12
    height, width = 4, 6
    down, across = ceil(height / grid), ceil(width / grid)
    cells = torch.eye((grid + 1) ** 2, dtype=torch.float64).view(-1, 1, grid + 1, grid + 1)
    weights = interpolate(cells, size=((grid + 1) * down, (grid + 1) * across), mode="bilinear")[:, 0]
    second = torch.zeros(height * width, height * width, dtype=torch.float64)
    for top, left in product(range(down), range(across)):
        k = weights[:, top : top + height, left : left + width].flatten(1)
        second += (p**2 + p * (1 - p) * k.T @ k) / (down * across)
    layer = nn.Linear(height * width, 4).double()
    x = torch.rand(parts, 1, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x[:] = x[0]  # parts of one estimate: each sample has its own masks
    product_ = (layer.weight[1] * x[0].flatten()).detach()
    expected = layer.bias[1].detach() + second @ product_ / p
    target = torch.ones(parts, dtype=torch.long)
    model = nn.Sequential(nn.Flatten(), layer)
    found = attribute("rise", model, x, target, draws=100, grid=grid, share=p, output="logit").flatten(1)
    error = found.std(0) / parts**0.5
    assert ((found.mean(0) - expected).abs() < 5 * error).all()
    assert (error < 0.2 * expected.abs().max()).all()


@pytest.mark.parametrize("sides", [(28, 14), (28, 33)], ids=["cells of powers of two", "others"])
def test_masks_of_rise_are_crops_of_enlarged_cells_to_the_bit(sides: tuple[int, int]) -> None:
    x, grid, rng = torch.zeros(8, 1, *sides), 7, SampleRng(0, range(8), "m")
    down, across = (ceil(side / grid) for side in sides)
    size = ((grid + 1) * down, (grid + 1) * across)
    masks = list(_masks(x, SampleRng(0, range(8), "m"), TOGETHER + 1, grid, 0.4))
    assert len(masks) == TOGETHER + 1
    for found in masks:
        cells = (rng.uniform(torch.zeros(8, 1, grid + 1, grid + 1)) < 0.4).float()
        enlarged = interpolate(cells, size=size, mode="bilinear", align_corners=False)
        tops, lefts = rng.permutation(x, down)[:, 0], rng.permutation(x, across)[:, 0]
        for mask, whole, top, left in zip(found, enlarged, tops, lefts, strict=True):
            assert torch.equal(mask, whole[:, top : top + sides[0], left : left + sides[1]])


def test_rise_weighs_its_masks_by_probability(attribute: Attribute) -> None:
    """A model that is sure whatever it sees: the mean of the masks over ``share``, 1 in expectation."""

    class Sure(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tensor([[3.0, 1.0, 1.0]], dtype=x.dtype).expand(len(x), 3)

    x, target = torch.rand(20, 3, 7, 9, dtype=torch.float64), torch.zeros(20, dtype=torch.long)
    sure = float(torch.tensor([3.0, 1.0, 1.0]).softmax(0)[0])
    found = attribute("rise", Sure(), x, target, draws=40, grid=3, share=0.6).sum(1)
    # a mask's variance is at most p (1 - p), that of an open or closed cell
    error = (0.6 * 0.4 / (20 * 40)) ** 0.5 / 0.6 * sure
    assert ((found.mean(0) - sure).abs() < 5 * error).all()
    assert len(found.flatten().unique()) > 20


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("feature_ablation", {"patch": 0}, "'patch' of 'feature_ablation' must be at least 1"),
        ("shapley_sampling", {"draws": 0}, "'draws' of 'shapley_sampling' must be at least 1"),
        ("kernel_shap", {"draws": 0}, "'draws' of 'kernel_shap' must be at least 1"),
        ("lime", {"ridge": 0.0}, "'ridge' of 'lime' must be positive; got '0'"),
        ("lime", {"width": float("inf")}, "'width' of 'lime' must be finite; got 'inf'"),
        ("rise", {"share": 0.0}, "'share' of 'rise' must be above 0 and at most 1; got '0'"),
        ("rise", {"grid": 0}, "'grid' of 'rise' must be at least 1"),
    ],
)
def test_settings_that_make_no_sense(
    attribute: Attribute,
    interacting: nn.Module,
    small: Tensor,
    target: Tensor,
    name: str,
    settings: dict[str, float],
    message: str,
) -> None:
    with pytest.raises(XaiboardError, match=message):
        attribute(name, interacting, small, target, **settings)


def test_rise_refuses_vectors() -> None:
    with pytest.raises(XaiboardError, match="'rise' needs images"):
        methods["rise"](model=nn.Linear(9, 2), x=torch.zeros(2, 9), target=torch.zeros(2, dtype=torch.long))
