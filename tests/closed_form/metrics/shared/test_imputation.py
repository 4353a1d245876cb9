"""Noisy linear imputation: against a sparse direct solve, closed forms, and what a model is shown by it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve
from torch import Tensor, nn
from xaiboard.benchmark import Reference, XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.shared import erasing
from xaiboard.metrics.shared.erasing import blank, logits_along
from xaiboard.metrics.shared.imputation import impute
from xaiboard.metrics.shared.multilevel import Scales
from xaiboard.metrics.shared.patches import patch_drops, patch_gains

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]


def directly(image: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """One image ``(C, H, W)``, pixel by pixel, one sparse system."""
    pixels = list(zip(*missing.nonzero(), strict=True))
    number = {pixel: n for n, pixel in enumerate(pixels)}
    matrix, right = lil_matrix((len(pixels), len(pixels))), np.zeros((len(pixels), len(image)))
    for n, (i, j) in enumerate(pixels):
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                other = i + down, j + across
                if other == (i, j) or not (
                    0 <= other[0] < missing.shape[0] and 0 <= other[1] < missing.shape[1]
                ):
                    continue
                weight = 1 / 12 if down and across else 1 / 6
                matrix[n, n] += weight
                if other in number:
                    matrix[n, number[other]] = -weight
                else:
                    right[n] += weight * image[:, other[0], other[1]]
    filled = image.copy()
    filled[:, missing] = spsolve(matrix.tocsc(), right).reshape(right.shape).T
    return filled


def some_missing(x: Tensor, count: int) -> Tensor:
    """Bool ``(B, P)``: ``count`` random pixels of each image."""
    return SampleRng(0, range(len(x)), "missing").permutation(x, x[0, 0].numel()) < count


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
@pytest.mark.parametrize("count", [1, 20, 50, 55])
def test_agrees_with_a_sparse_direct_solve(x: Tensor, count: int, dtype: torch.dtype, near: float) -> None:
    missing, colour = some_missing(x, count), torch.full_like(x, 0.3)
    found = impute(x.to(dtype), missing, colour.to(dtype))
    expected = [
        directly(image, gone.view(8, 7).numpy()) for image, gone in zip(x.numpy(), missing, strict=True)
    ]
    torch.testing.assert_close(found.double(), torch.from_numpy(np.array(expected)), rtol=0, atol=near)
    kept = ~missing.view(6, 1, 8, 7).expand_as(x)
    assert torch.equal(found[kept], x.to(dtype)[kept])


def test_a_large_hole_and_a_single_pixel_left() -> None:
    x = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    missing = torch.zeros(2, 28, 28, dtype=torch.bool)
    missing[0, 1:-1, 1:-1] = True
    missing[1] = True
    missing[1, 20, 3] = False
    found = impute(x, missing.flatten(1), torch.zeros_like(x))
    torch.testing.assert_close(
        found[0].numpy(), directly(x[0].numpy(), missing[0].numpy()), rtol=0, atol=1e-10
    )
    torch.testing.assert_close(found[1], x[1, :, 20, 3].view(1, 1, 1).expand_as(x[1]), rtol=0, atol=1e-8)


@pytest.mark.parametrize(("shape", "most"), [((28, 28), 18), ((33, 61), 20), ((70, 70), 24)])
@pytest.mark.parametrize("hole", ["frame left", "pixel left", "a tenth left"])
def test_large_holes_need_as_few_steps_as_small_ones(
    shape: tuple[int, int], most: int, hole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without coarser grids 90 to 300 steps; a wrong energy of a hat shows here, and nowhere else."""
    missing, steps = torch.ones(1, *shape) > 0, []
    if hole == "pixel left":
        missing[:, 20, 3] = False
    elif hole == "frame left":
        missing[:, 0] = missing[:, -1] = missing[:, :, 0] = missing[:, :, -1] = False
    else:
        missing &= SampleRng(0, range(1), "").uniform(missing.float(), 0, 1) < 0.9
    x = torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(0))
    solved = Scales.__call__
    monkeypatch.setattr(Scales, "__call__", lambda self, r: (steps.append(0), solved(self, r))[1])
    filled = impute(x, missing.flatten(1), torch.full_like(x, 0.5))
    assert len(steps) <= most
    exact = directly(x[0].double().numpy(), missing[0].numpy())
    torch.testing.assert_close(filled[0].double(), torch.from_numpy(exact), rtol=0, atol=1e-4)


def test_a_ramp_is_continued_into_a_hole(x: Tensor) -> None:
    """Each pixel of a ramp is the mean of its neighbours, inside the image."""
    ramp = (torch.arange(8.0)[:, None] + 2 * torch.arange(7.0)).double().expand_as(x)
    missing = torch.zeros(6, 8, 7, dtype=torch.bool)
    missing[:, 2:6, 1:5] = True
    torch.testing.assert_close(impute(ramp, missing.flatten(1), 0 * ramp), ramp, rtol=0, atol=1e-9)


def test_the_guess_and_the_batch_change_nothing_and_an_empty_image_is_blank(
    x: Tensor, random_map: Draw
) -> None:
    missing = torch.cat([some_missing(x[:4], 40), torch.ones(1, 56) > 0, torch.zeros(1, 56) > 0])
    colour = torch.full_like(x, 0.3)
    found = impute(x, missing, colour)
    torch.testing.assert_close(impute(x, missing, colour, random_map(x)), found, rtol=0, atol=1e-10)
    alone = [impute(x[i : i + 1], missing[i : i + 1], colour[i : i + 1]) for i in range(6)]
    torch.testing.assert_close(torch.cat(alone), found, rtol=0, atol=1e-12)
    torch.testing.assert_close(found[4], colour[4])
    assert torch.equal(found[5], x[5])


def test_what_is_not_available_is_said(measure: Measure, net: nn.Module, x: Tensor, target: Tensor) -> None:
    given = {"model": net, "target": target, "baseline": "imputed"}
    with pytest.raises(XaiboardError, match="'imputed' needs the data set's mean image"):
        measure("deletion", **given, x=x, attribution=x)
    flat = x.flatten(1)
    with pytest.raises(XaiboardError, match="'imputed' needs images"):
        measure("deletion", **given, x=flat, attribution=flat, reference=Reference(flat[0], flat))


@pytest.mark.parametrize("insert", [False, True], ids=["erase", "insert"])
def test_a_model_is_shown_what_is_left_and_noise_on_the_rest(x: Tensor, insert: bool) -> None:
    """Against imputing without noise: on missing pixels it has the stated deviation (four standard errors)."""
    x = x.repeat(20, 1, 1, 1)
    seen: list[Tensor] = []
    gone = blank(x, Reference(torch.full_like(x[0], 0.3), x), "imputed", SampleRng(0, range(120), ""))
    order = SampleRng(1, range(120), "").permutation(x, 56)
    logits_along(lambda z: (seen.append(z.clone()), z)[1], x, gone, order, [10, 30], insert=insert)  # pyright: ignore
    assert gone.noise is not None
    for point, image in zip((10, 30), seen, strict=True):
        missing = torch.zeros(120, 56).scatter(1, order[:, :point], 1.0) == (0 if insert else 1)
        filled, wide = impute(x, missing, gone.image), missing.view(120, 1, 8, 7).expand_as(x)
        assert torch.equal(image[~wide], x[~wide])
        noise = (image - filled)[wide]
        torch.testing.assert_close(noise, gone.noise[wide], rtol=0, atol=1e-9)
        assert abs(noise.std() - 0.01) < 4 * 0.01 / (2 * len(noise)) ** 0.5
    torch.testing.assert_close(gone.erased - gone.noise, torch.full_like(x, 0.3))


@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_curves_are_those_of_imputing_directly(
    measure: Measure, net: nn.Module, x: Tensor, name: str, monkeypatch: pytest.MonkeyPatch, random_map: Draw
) -> None:
    """Without noise, against a loop over samples and steps; the ends are the input and the mean colour."""
    monkeypatch.setattr(erasing, "NOISE", 0.0)
    target, a, mean = net(x).argmax(1), random_map(x), torch.rand_like(x[0])
    colour = mean.mean((1, 2), keepdim=True).expand_as(x)
    order = a.sum(1).flatten(1).argsort(1, descending=True)
    curve = []
    for step in range(8):
        first = torch.zeros(6, 56).scatter(1, order[:, : 8 * step], 1.0) > 0
        missing = ~first if name == "insertion" else first
        shown = [
            directly(image, gone.view(8, 7).numpy())
            for image, gone in zip(x.numpy(), missing, strict=True)
            if not gone.all()
        ]
        with torch.no_grad():
            logits = net(torch.from_numpy(np.array(shown)) if shown else colour)
        curve.append(logits.softmax(1)[torch.arange(6), target])
    given = {"model": net, "x": x, "target": target, "attribution": a, "reference": Reference(mean, x)}
    found = measure(name, **given, baseline="imputed", steps=7)
    torch.testing.assert_close(found["curve"], torch.stack(curve, 1))
    assert (found["curve"] - measure(name, **given, baseline="mean", steps=7)["curve"]).abs().max() > 0.01


def test_insertion_is_deletion_of_the_negative_map_and_srg_their_difference(
    measure: Measure, net: nn.Module, x: Tensor, monkeypatch: pytest.MonkeyPatch, random_map: Draw
) -> None:
    monkeypatch.setattr(erasing, "NOISE", 0.0)
    given = {"model": net, "x": x, "target": net(x).argmax(1), "reference": Reference(x.mean(0), x)}
    given |= {"baseline": "imputed", "steps": 7, "orders": 2}
    up, down, gain = (
        measure(name, **given, attribution=random_map(x)) for name in ("insertion", "deletion", "srg")
    )
    torch.testing.assert_close(gain[""], up[""] - down[""])
    other = measure("deletion", **given, attribution=-random_map(x))
    torch.testing.assert_close(up["curve"], other["curve"].flip(1))


def test_patches_are_imputed_from_the_rest(net: nn.Module, x: Tensor) -> None:
    """One patch from all others, and all others from one patch; 7 columns leave narrower ones."""
    target, reference = net(x).argmax(1), Reference(x.mean(0), x)
    drops, gains = [], []
    with torch.no_grad():
        start = net(x.mean(0).mean((1, 2), keepdim=True).expand_as(x))
        for i, j in ((i, j) for i in (0, 4) for j in (0, 4)):
            inside = np.zeros((8, 7), dtype=bool)
            inside[i : i + 4, j : j + 4] = True
            without, alone = (
                net(torch.from_numpy(np.array([directly(image, gone) for image in x.numpy()])))
                for gone in (inside, ~inside)
            )
            drops.append((net(x) - without)[torch.arange(6), target])
            gains.append((alone - start)[torch.arange(6), target])
    given = {"model": net, "x": x, "target": target, "reference": reference, "baseline": "imputed"}
    given["patch"] = 4
    torch.testing.assert_close(patch_drops(**given), torch.stack(drops, 1))
    torch.testing.assert_close(patch_gains(**given), torch.stack(gains, 1))
