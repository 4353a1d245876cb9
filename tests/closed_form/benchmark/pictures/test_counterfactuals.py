"""The counterfactuals figure: where steps end on linear networks, and when it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.pictures.counterfactuals import walk
from xaiboard.benchmark.toolkit.data import Data


@pytest.fixture
def linear() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 4)).double().eval()


@pytest.fixture
def x() -> Tensor:
    return torch.rand(5, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_one_step_ends_on_the_boundary_of_the_two_best_classes(linear: nn.Sequential, x: Tensor) -> None:
    weight = linear.get_parameter("1.weight").detach()
    best = linear(x).topk(2).indices
    steps = walk(linear, x, (0, 1, 2))
    for image, (first, second), point, step in zip(x, best, steps.points[1], steps.step, strict=True):
        logits = linear(point[None])[0]
        assert logits[first] == pytest.approx(logits[second].item(), abs=1e-12)
        normal = (weight[first] - weight[second]) / (weight[first] - weight[second]).norm()
        gap = (linear(image[None])[0, first] - linear(image[None])[0, second]).item()
        distance = gap / (weight[first] - weight[second]).norm().item()
        torch.testing.assert_close(step.flatten(), -distance * normal)


def test_the_margin_is_that_of_the_first_prediction(linear: nn.Sequential, x: Tensor) -> None:
    steps = walk(linear, x, (0, 1, 2))
    top = steps.logits[0].argmax(1)
    for points, logits, margins in zip(steps.points, steps.logits, steps.margin, strict=True):
        torch.testing.assert_close(linear(points), logits)
        for row, label, margin in zip(logits, top, margins, strict=True):
            others = [float(value) for place, value in enumerate(row) if place != label]
            assert margin == pytest.approx(float(row[label]) - max(others))
    assert (steps.margin[0] > 0).all()
    assert (steps.margin[2] < 0).all()
    two = nn.Sequential(linear, nn.Linear(4, 2).double())  # with two classes the margin is linear altogether
    torch.testing.assert_close(
        walk(two, x, (0, 1, 3)).margin, walk(two, x, (0,)).margin * torch.tensor([[1], [0], [-2]])
    )


def test_a_flat_network_takes_no_step(x: Tensor) -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(12, 4)).double()
    flat.get_parameter("1.weight").data.zero_()
    steps = walk(flat, x)
    assert torch.equal(steps.points, x.expand_as(steps.points))


def test_parameters_and_images_are_left_alone(linear: nn.Sequential, x: Tensor) -> None:
    before = x.clone()
    walk(linear, x)
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert all(parameter.grad is None for parameter in linear.parameters())


@pytest.fixture
def families(registries: None) -> Iterator[None]:
    """Networks of several families, two of them standard, for images of any shape."""
    for name, family in (("o", "ot"), ("s", "standard"), ("s2", "standard"), ("r", "regularised")):

        @xb.model(name=f"net.{name}", family=family)
        def _net(shape: tuple[int, ...], classes: int) -> nn.Module:
            with torch.random.fork_rng():
                torch.manual_seed(0)
                return nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(shape).numel(), classes))

    @xb.model(name="net.a", family="adversarial")
    def _broken(shape: tuple[int, ...], classes: int) -> nn.Module:
        return nn.Flatten()  # its outputs are no logits

    yield


def run(shape: tuple[int, ...], folder: Path, models: str = "net.*", metrics: str = "step_flip") -> set[str]:
    """Names of the figures of a run on three images."""

    @xb.dataset(name="shaped")
    def _shaped(split: str) -> Data:
        return Data(
            torch.rand(3, *shape, generator=torch.Generator().manual_seed(0)), torch.arange(3), list("abc")
        )

    finished = xb.run(
        dataset="shaped", models=models, methods="", metrics=metrics, out=folder, progress=False
    )
    return {path.name for path in finished.folder.glob("*.png")}


@pytest.mark.parametrize("channels", [2, 3])
def test_images_of_any_number_of_channels(families: None, tmp_path: Path, channels: int) -> None:
    assert run((channels, 4, 4), tmp_path / "run") == {"counterfactuals-shaped.png"}


def test_vectors_have_no_picture(families: None, tmp_path: Path) -> None:
    assert run((16,), tmp_path / "run") == set()


def test_it_is_drawn_for_its_metric_and_the_families_that_have_a_place(
    families: None, tmp_path: Path
) -> None:
    assert run((1, 4, 4), tmp_path / "one", metrics="accuracy") == set()
    assert run((1, 4, 4), tmp_path / "two", models="net.r") == set()


def test_a_part_of_the_models_does_not_replace_the_picture_of_all(families: None, tmp_path: Path) -> None:
    run((1, 4, 4), tmp_path / "run")
    assert run((1, 4, 4), tmp_path / "run", models="net.s2") == {
        "counterfactuals-shaped.png", "counterfactuals-shaped-part.png",
    }  # fmt: skip


def test_the_same_bytes_each_time(families: None, tmp_path: Path) -> None:
    for name in ("one", "other"):
        run((1, 4, 4), tmp_path / name)
    one, other = ((tmp_path / name / "counterfactuals-shaped.png").read_bytes() for name in ("one", "other"))
    assert one == other
