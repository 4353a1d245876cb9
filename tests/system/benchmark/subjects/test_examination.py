"""The examination of a network: what it finds, what it refuses and with which sentence, and that it leaves no trace."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import xaiboard.benchmark as xb
from helpers import Runner
from torch import Tensor, nn
from xaiboard.benchmark.subjects.examination import examine
from xaiboard.benchmark.subjects.logits import are_same


class Wrapper(nn.Module):
    """A network, and what ``change`` makes of its input and its logits."""

    def __init__(self, network: nn.Module, change: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.network, self.change = network, change

    def forward(self, x: Tensor) -> Any:  # noqa: ANN401
        return self.change(self.network, x)


def in_place(network: nn.Module, x: Tensor) -> Tensor:
    x -= 0.5
    return network(x)


def counting(network: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        network[1].bias += 0  # pyright: ignore[reportIndexIssue]
    return network(x)


def masked(logits: Tensor) -> Tensor:
    """Two of four classes are never predicted."""
    return logits.index_fill(1, torch.tensor([0, 2]), -1e9)


REFUSED: dict[str, tuple[Callable[[nn.Module, Tensor], Any], str]] = {
    "noise": (lambda net, x: net(x) + torch.randn(len(x), 4), "differ from call to call"),
    "batch": (lambda net, x: net(x - x.mean(0)), "depend on the other images of the batch"),
    "maximum": (lambda net, x: masked(net(x / x.max())), "depend on the other images of the batch"),
    "first": (lambda net, x: net(x) * (1 + (x[0].mean() > 0.8)), "depend on the other images of the batch"),
    "statistics": (lambda net, x: net((x - x.mean()) / x.std()), "depend on the other images of the batch"),
    "one output": (lambda net, x: net(x)[:, :1], "has one output, and two classes are needed"),
    "tuple": (lambda net, x: (net(x), x), r"returns a tuple \(\(2, 4\), \(2, 1, 8, 8\)\) where logits"),
    "dict": (lambda net, x: {"out": net(x)}, "returns a dict where logits"),
    "image": (lambda net, x: x, r"of shape \(2, 1, 8, 8\) for 2 images"),
    "flat": (lambda net, x: net(x).flatten(), r"of shape \(8,\) for 2 images"),
    "classes": (lambda net, x: net(x).argmax(1, keepdim=True), "returns torch.int64"),
    "nan": (lambda net, x: net(x) * torch.nan, "are not finite"),
    "input": (in_place, "changes its input in place"),
    "weights": (counting, "changes its own weights or buffers"),
    "gradients": (lambda net, x: net(x) * (1 + torch.is_grad_enabled()), "differ with and without gradients"),
    "sparse": (lambda net, x: net(x).to_sparse(), "returns a sparse_coo tensor where logits"),
    "nested": (lambda net, x: torch.nested.nested_tensor(list(net(x))), "returns a nested tensor where logits"),
    "mkldnn": (lambda net, x: net(x).to_mkldnn(), "returns a _mkldnn tensor where logits"),
    "complex": (lambda net, x: net(x) + 0j, "returns torch.complex64 of shape"),
    "raises": (lambda net, x: net(x[..., 1:]), r"raises on images of shape \(1, 8, 8\): RuntimeError"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_network_that_cannot_be_judged_is_refused_in_one_sentence(
    kind: str, mlp: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    change, said = REFUSED[kind]
    model, given = Wrapper(mlp, change), x.clone()
    for method in ("saliency", "occlusion"):
        with pytest.raises(xb.XaiboardError, match=f"^the model cannot be explained: .*{said}"):
            xb.explain(model, method, given, target)
    assert torch.equal(given, x)


@pytest.mark.parametrize("kind", ["noise", "batch", "one output", "input", "weights"])
def test_a_run_says_so_before_anything_is_computed(
    kind: str, mlp: nn.Sequential, run: Runner, tmp_path: Path
) -> None:
    wrong = Wrapper(mlp, REFUSED[kind][0])
    with pytest.raises(
        xb.XaiboardError, match=f"^'wrong': the model cannot be explained: .*{REFUSED[kind][1]}"
    ):
        run(models={"wrong": wrong})
    assert not (tmp_path / "run").exists()
    cells = run(models={"wrong": wrong, "mlp": mlp}, methods="saliency", metrics="gini").cells.set_index(
        "model"
    )
    assert cells["status"].to_dict() == {"wrong": "inapplicable", "mlp": "ok"}
    assert REFUSED[kind][1] in str(cells.loc["wrong", "note"])


def test_nothing_of_an_ordinary_network_is_refused(cnn: nn.Sequential, x: Tensor) -> None:
    found = examine(cnn, x)
    assert (found.reason, found.classes, found.opaque, found.gradient, found.adapted) == (
        "",
        4,
        "",
        True,
        False,
    )
    assert [(each.name, each.kind, each.shape) for each in found.layers] == [
        ("0", "Conv2d", (2, 4, 6, 6)), ("1", "ReLU", (2, 4, 6, 6)), ("2", "Flatten", (2, 144)), ("3", "Linear", (2, 4)),
    ]  # fmt: skip


def test_layers_are_listed_as_they_are_executed(x: Tensor) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.unused, self.first, self.flatten = (
                nn.Linear(64, 4),
                nn.ReLU(),
                nn.Tanh(),
                nn.Flatten(),
            )

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.flatten(self.first(self.first(x))))

    assert [each.name for each in examine(Net(), x).layers] == ["first", "first", "flatten", "last"]


def test_it_is_kept_for_the_object_and_costs_a_few_passes(cnn: nn.Sequential, x: Tensor) -> None:
    seen: list[int] = []
    cnn.register_forward_hook(lambda layer, given, out: seen.append(len(out)))
    found = examine(cnn, x)
    assert sum(seen) <= 26
    seen.clear()
    assert examine(cnn, x) is found
    assert seen == [2, 2]
    assert examine(copy.deepcopy(cnn), x) is not examine(cnn, x)
    assert examine(cnn, x.double()) is examine(cnn, x)


@pytest.mark.parametrize(
    "change",
    [
        lambda net, x: net(x / x.amax((1, 2, 3), keepdim=True)),  # undefined for black images
        lambda net, x: net(x.clamp_max(1)) / (x.sum((1, 2, 3)) > 2)[:, None],  # infinite for dark ones
        lambda net, x: masked(net(x)),
        lambda net, x: (100 * net(x)).log_softmax(1),  # mostly rounding for the class that is predicted
        lambda net, x: (
            net(x) if x.mean(0).max() > 0.5 or x[0].min() < 0 else 1 / 0
        ),  # not for images that are none
    ],
    ids=["normalised", "not finite", "masked", "logarithms", "raises"],
)
def test_what_is_odd_about_odd_images_is_no_mixing_of_images(
    change: Callable[[nn.Module, Tensor], Any], mlp: nn.Sequential, x: Tensor
) -> None:
    assert examine(Wrapper(mlp, change), x).reason == ""


def test_classes_are_compared_on_their_own_scale_and_rounding_is_none() -> None:
    """The last class is masked; what is nearly 0 is the difference of larger numbers, as in a logarithm of nearly 1."""
    one = torch.tensor([[-1e-7, -20.0, -1e9], [0.0, -10.0, -1e9]])
    assert are_same(one, torch.tensor([[0.0, -20.00001, -1e9], [-1e-7, -10.0, -1e9]]))
    assert not are_same(one, torch.tensor([[-1e-7, -20.1, -1e9], [0.0, -10.0, -1e9]]))
    assert not are_same(one, torch.tensor([[-1e-3, -20.0, -1e9], [0.0, -10.0, -1e9]]))
    assert are_same(one / 0, one / 0)
    assert not are_same(one, one / 0)


class Changes(nn.Module):
    """A network that something is switched on in after it was examined."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.after = network, torch.nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.network(x))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (lambda logits: logits + torch.randn(logits.shape), "differ from call to call"),
        (lambda logits: logits - logits.mean(0), "depend on the other images"),
        (lambda logits: logits * torch.nan, "are not finite"),
        (lambda logits: (logits, logits), "returns a tuple"),
    ],
    ids=["noise", "batch", "nan", "form"],
)
def test_a_network_that_changed_is_examined_anew(
    after: Callable[[Tensor], Any], said: str, cnn: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    model = Changes(cnn)
    before = xb.explain(model, "saliency", x, target)
    setattr(model.after, "forward", after)  # noqa: B010
    with pytest.raises(xb.XaiboardError, match=said):
        xb.explain(model, "saliency", x, target)
    del model.after.forward
    assert torch.equal(xb.explain(model, "saliency", x, target), before)


def test_a_method_s_own_check_is_made_anew_on_a_network_that_changed(
    cnn: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    """A logit times itself, without a layer whose rule could say how: DeepLIFT is wrong on it."""
    model = Changes(cnn)
    xb.explain(model, "deeplift", x, target)
    setattr(model.after, "forward", torch.square)  # noqa: B010
    with pytest.raises(xb.XaiboardError, match="'deeplift' does not apply"):
        xb.explain(model, "deeplift", x, target)


def test_it_leaves_mode_buffers_gradients_hooks_and_random_numbers_alone(x: Tensor) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten(), nn.Linear(72, 4))
    model[2].eval()
    before, modes = copy.deepcopy(model.state_dict()), [layer.training for layer in model.modules()]
    state = torch.random.get_rng_state()
    assert examine(model, x).reason == ""
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert [layer.training for layer in model.modules()] == modes
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_network_in_training_mode_gets_its_mode_back_after_an_error(x: Tensor, target: Tensor) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 4))

    def half_way(model: nn.Module, x: Tensor) -> Tensor:
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        xb.explain(model, half_way, x, target)
    assert all(layer.training for layer in model.modules())


@pytest.mark.parametrize(
    ("change", "tolerance"),
    [
        (lambda net, x: net(x).double(), 0),
        (lambda net, x: SimpleNamespace(logits=net(x), hidden_states=None), 0),
        (lambda net, x: net(x.float()).bfloat16(), 0.05),
    ],
    ids=["float64", "structure", "bfloat16"],
)
def test_logits_are_brought_into_form(
    change: Callable[[nn.Module, Tensor], Any],
    tolerance: float,
    mlp: nn.Sequential,
    run: Runner,
    tmp_path: Path,
) -> None:
    methods, metrics = (
        "saliency,occlusion",
        "deletion[steps=4,orders=2],infidelity[draws=4],pgd_accuracy[steps=2],ara",
    )
    model = Wrapper(mlp, change)
    given, plain = (
        run(models={"net": each}, methods=methods, metrics=metrics, out=tmp_path / str(number))
        for number, each in enumerate((model, mlp))
    )
    assert not len(given.failed)
    columns = given.leaderboard["metric"].isin(["deletion", "pgd_accuracy"])
    torch.testing.assert_close(
        torch.tensor(given.leaderboard["mean"][columns].to_list()),
        torch.tensor(plain.leaderboard["mean"][columns].to_list()),
        rtol=tolerance,
        atol=tolerance,
    )
    assert not model._forward_hooks


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_images_are_given_in_the_type_of_the_network(
    dtype: torch.dtype, cnn: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    model = copy.deepcopy(cnn).to(dtype)
    found = xb.explain(model, "saliency", x, target)
    assert found.dtype == x.dtype
    assert next(model.parameters()).dtype == dtype
    torch.testing.assert_close(found, xb.explain(cnn, "saliency", x, target), rtol=0.1, atol=0.02)


def test_the_type_is_that_of_most_weights(cnn: nn.Sequential, x: Tensor, target: Tensor) -> None:
    """The first parameter is a number in float64, by which the logits are scaled."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
            self.network = cnn

        def forward(self, x: Tensor) -> Tensor:
            return self.scale * self.network(x).double()

    for method in ("saliency", "gradcam", "guided_backprop", "deeplift"):
        found, wanted = (xb.explain(net, method, x, target) for net in (Scaled(), cnn))
        torch.testing.assert_close(found, 2 * wanted)


def test_one_image_and_one_class_are_enough(cnn: nn.Sequential, x: Tensor, target: Tensor) -> None:
    for method in ("saliency", "gradcam", "deeplift"):
        whole = xb.explain(cnn, method, x, target)
        torch.testing.assert_close(xb.explain(cnn, method, x[:1], target[:1]), whole[:1])
    with pytest.raises(xb.XaiboardError, match=r"x must be images .* got shape \(0, 1, 8, 8\)"):
        xb.explain(cnn, "saliency", x[:0], target[:0])


class Frozen(nn.Module):
    """Has no gradient with respect to its input."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)


def test_what_needs_no_gradient_runs_and_the_rest_says_so(cnn: nn.Sequential, run: Runner) -> None:
    cells = run(models={"net": Frozen(cnn)}, methods="saliency,occlusion,gradcam", metrics="gini").cells
    notes = cells.set_index("method")[["status", "note"]]
    assert notes.loc["occlusion", "status"] == "ok"
    assert "needs a gradient with respect to the images" in str(notes.loc["saliency", "note"])
    assert notes.loc["gradcam", "status"] == "inapplicable"
    assert "have no gradient" in str(notes.loc["gradcam", "note"])


def test_layers_without_weights_yet_are_named(x: Tensor, target: Tensor, run: Runner) -> None:
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))
    for call in (lambda: xb.explain(model, "saliency", x, target), lambda: run(models={"net": model})):
        with pytest.raises(xb.XaiboardError, match=r"parameter '1.weight' has no values yet"):
            call()
    with pytest.raises(
        xb.XaiboardError, match=r"parameter '1.weight' is on the device 'meta' and has no values; load"
    ):
        xb.explain(nn.Sequential(nn.Flatten(), nn.Linear(64, 4, device="meta")), "saliency", x, target)


def test_labels_without_a_logit_are_one_sentence(run: Runner) -> None:
    few = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(
        xb.XaiboardError, match=r"it has 3 logits, and labels of 4 classes are to be explained"
    ):
        run(models={"few": few}, methods="saliency", metrics="gini", target="label")
