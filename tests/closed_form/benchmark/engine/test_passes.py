"""Counted passes are those of the method's definition, and counting leaves nothing behind."""

from __future__ import annotations

import copy

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.engine.passes import count_passes


@pytest.fixture
def x() -> Tensor:
    return torch.rand(5, 1, 8, 8)


@pytest.fixture
def target() -> Tensor:
    return torch.tensor([0, 1, 2, 3, 0])


@pytest.mark.parametrize(
    ("method", "forward", "backward"),
    [("saliency", 1, 1), ("integrated_gradients[steps=7]", 7, 7), ("smoothgrad[draws=3]", 3, 3), ("sobel", 0, 0),
     ("gradcam", 1, 1), ("occlusion[window=4,stride=4]", 5, 0)],
)  # fmt: skip
def test_passes_of_a_known_method(
    cnn: nn.Module, x: Tensor, target: Tensor, method: str, forward: int, backward: int
) -> None:
    xb.explain(cnn, method, x, target)  # a first call must not matter
    with count_passes(cnn) as passes:
        xb.explain(cnn, method, x, target)
    # In `explain` itself one sample goes forward, for the number of classes, and two samples twice: by their logits the
    # network is known to be the one that was examined.
    assert (passes.forward, passes.backward) == (5 * forward + 1 + 2 * 2, 5 * backward)


def test_reports_each_batch(mlp: nn.Module, x: Tensor) -> None:
    reported: list[tuple[int, int]] = []
    with count_passes(mlp, lambda *numbers: reported.append(numbers)) as passes:
        mlp(x).sum().backward()
        with torch.no_grad():
            mlp(x[:2])
    assert reported == [(5, 0), (0, 5), (2, 0)]
    assert (passes.forward, passes.backward) == (7, 5)


def test_copies_count_too(mlp: nn.Module, x: Tensor) -> None:
    with count_passes(mlp) as passes:
        copy.deepcopy(mlp)(x)
    assert passes.forward == 5


def test_leaves_no_hook_behind(mlp: nn.Module, x: Tensor) -> None:
    with pytest.raises(KeyError), count_passes(mlp):
        raise KeyError
    assert not mlp._forward_hooks
    with count_passes(mlp) as outer, count_passes(mlp) as inner:
        mlp(x)
    mlp(x)
    assert outer == inner
    assert outer.forward == 5


def test_counting_changes_nothing(mlp: nn.Module, x: Tensor, target: Tensor) -> None:
    alone = xb.explain(mlp, "integrated_gradients", x, target)
    with count_passes(mlp):
        assert torch.equal(xb.explain(mlp, "integrated_gradients", x, target), alone)


@pytest.mark.parametrize("strange", [None, torch.tensor(1.0), ("a", "b")], ids=["none", "scalar", "tuple"])
def test_a_model_that_returns_something_else_is_left_to_its_caller(strange: object) -> None:
    class Strange(nn.Module):
        def forward(self, x: Tensor) -> object:
            return strange

    with count_passes(model := Strange()) as passes:
        assert model(torch.rand(2, 3)) is strange
    assert passes.forward == 0


def test_methods_by_functional_transforms_can_be_counted(mlp: nn.Module, x: Tensor, target: Tensor) -> None:
    def by_transform(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
        def logit(image: Tensor, label: Tensor) -> Tensor:
            return model(image[None])[0].gather(0, label[None])[0]

        return torch.func.vmap(torch.func.grad(logit))(x, target)

    with count_passes(mlp):
        found = xb.explain(mlp, by_transform, x, target)
    torch.testing.assert_close(found, xb.explain(mlp, "saliency", x, target))
