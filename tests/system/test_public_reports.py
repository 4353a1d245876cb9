"""What users of other tools have reported as wrong, tried here: the right value, or one sentence.

Each test names the reports. Those on in-place ReLU, odd sizes and memory formats are in ``test_foreign_networks.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import xaiboard.benchmark as xb
from helpers import Runner
from torch import Tensor, nn
from torch.nn import functional

X = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGET = torch.tensor([0, 1, 3])


def seeded(*layers: nn.Module) -> nn.Sequential:
    """The layers with weights of their own, in float64 and evaluation mode."""
    network = nn.Sequential(*layers).double().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return network


def small() -> nn.Sequential:
    return seeded(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4))


def gap_of_the_sum(network: nn.Module) -> float:
    """How far DeepLIFT is from summing to the change of the logit."""
    change = (network(X) - network(0 * X)).gather(1, TARGET[:, None])[:, 0]
    return float((xb.explain(network, "deeplift", X, TARGET).flatten(1).sum(1) - change).detach().abs().max())


def test_deeplift_where_pooling_meets_an_activation_and_layers_are_reused() -> None:
    """Captum 1104, 1843."""
    pool, relu = nn.MaxPool2d(2), nn.ReLU()
    assert gap_of_the_sum(seeded(nn.Conv2d(1, 4, 3), pool, relu, nn.Flatten(), nn.Linear(36, 4))) < 1e-12
    reused = seeded(
        nn.Conv2d(1, 4, 3), relu, pool, nn.Conv2d(4, 4, 2), relu, pool, nn.Flatten(), nn.Linear(4, 4)
    )
    assert gap_of_the_sum(reused) < 1e-12


def test_a_method_that_raises_leaves_no_hook_on_the_model() -> None:
    """Captum 661."""
    network = small()

    def stop(*given: object) -> None:
        raise RuntimeError("half way")

    handle = network[3].register_forward_hook(stop)
    for method in ("guided_backprop", "deeplift", "gradcam", "lrp_epsilon"):
        with pytest.raises((RuntimeError, xb.XaiboardError), match="half way"):
            xb.explain(network, method, X, TARGET)
    handle.remove()
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in network.modules())
    found, fresh = (xb.explain(each, "guided_backprop", X, TARGET) for each in (network, small()))
    assert torch.equal(found, fresh)


def test_activations_that_are_functions_and_subclasses_of_layers() -> None:
    """Captum pull requests 837 and 1082, tangermeme 13."""

    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = small()

        def forward(self, x: Tensor) -> Tensor:
            return self.layers[2:](functional.relu(self.layers[0](x)))

    class Doubling(nn.ReLU):
        def forward(self, input: Tensor) -> Tensor:
            return 2 * super().forward(input)

    for method in ("guided_backprop", "deconvnet", "deeplift"):
        found, wanted = (xb.explain(each, method, X, TARGET) for each in (Functional(), small()))
        torch.testing.assert_close(found, wanted)
    doubling = small()
    doubling[1] = Doubling()
    twice = 2 * xb.explain(small(), "saliency", X, TARGET)
    torch.testing.assert_close(xb.explain(doubling, "saliency", X, TARGET), twice)
    with pytest.raises(xb.XaiboardError, match=r"whether 'relu' in Doubling '1' is a ReLU"):
        xb.explain(doubling, "guided_backprop", X, TARGET)
    for method in ("deeplift", "lrp_epsilon"):
        with pytest.raises(xb.XaiboardError, match="has no rule for Doubling"):
            xb.explain(doubling, method, X, TARGET)


def test_a_layer_that_is_called_twice_is_right_or_named() -> None:
    """Captum 199, 200, 578."""
    relu = nn.ReLU()
    network = seeded(nn.Flatten(), nn.Linear(64, 8), relu, nn.Linear(8, 8), relu, nn.Linear(8, 4))
    alone = seeded(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    for method in ("guided_backprop", "deconvnet", "deeplift"):
        found, wanted = (xb.explain(each, method, X, TARGET) for each in (network, alone))
        assert torch.equal(found, wanted)
    with pytest.raises(
        xb.XaiboardError, match="a layer of its own at each place, and a ReLU '2' is used twice"
    ):
        xb.explain(network, "lrp_epsilon", X, TARGET)


def test_one_output_is_no_classification() -> None:
    """Captum 352, 475; the network that the sentence asks for has the sigmoid's two classes."""
    one = seeded(nn.Flatten(), nn.Linear(64, 1))
    with pytest.raises(xb.XaiboardError, match=r"one output.*torch.cat\(\[0 \* z, z\], 1\)"):
        xb.explain(one, "occlusion", X, 0 * TARGET)

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = one

        def forward(self, x: Tensor) -> Tensor:
            z = self.one(x)
            return torch.cat([0 * z, z], 1)

    torch.testing.assert_close(Two()(X).softmax(1)[:, 1:], one(X).sigmoid())
    weight = one.get_parameter("1.weight").detach().view(1, 1, 8, 8)
    found = xb.explain(Two(), "saliency", X, torch.ones(3, dtype=torch.long))
    torch.testing.assert_close(found, weight.expand(3, 1, 8, 8))


def test_a_model_in_training_mode_is_explained_as_in_evaluation() -> None:
    """Foolbox 74, 648."""
    layers = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(144, 4)
    network = seeded(*layers)
    wanted = xb.explain(network, "saliency", X, TARGET)
    network.train()
    mean = network[1].running_mean.clone()  # pyright: ignore[reportCallIssue, reportOptionalMemberAccess]
    assert torch.equal(xb.explain(network, "saliency", X, TARGET), wanted)
    assert network.training
    assert torch.equal(network[1].running_mean, mean)  # pyright: ignore[reportArgumentType]


def test_a_compiled_model_is_explained_as_the_one_that_was_compiled() -> None:
    """Pytorch 117758: hooks that are added after compilation are not called."""
    fast = torch.compile(small(), backend="eager")
    fast(X)
    for method in ("guided_backprop", "deeplift", "gradcam", "lrp_epsilon"):
        found, wanted = (xb.explain(each, method, X, TARGET) for each in (fast, small()))  # pyright: ignore[reportArgumentType]
        assert torch.equal(found, wanted)


def test_part_of_a_model_that_is_compiled_cannot_be_followed() -> None:
    """Pytorch 117758, where the compiled part is inside."""
    network = nn.Sequential(torch.compile(small()[:2], backend="eager"), small()[2:])  # pyright: ignore[reportArgumentType]
    for method in ("guided_backprop", "deeplift", "gradcam", "lrp_epsilon"):
        with pytest.raises(xb.XaiboardError, match="cannot be followed, since its part '0' is compiled"):
            xb.explain(network, method, X, TARGET)
    found, wanted = (xb.explain(each, "saliency", X, TARGET) for each in (network, small()))
    torch.testing.assert_close(found, wanted)


def test_a_head_of_one_pixel_has_no_map() -> None:
    """torch-cam 68."""
    network = seeded(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Flatten())
    with pytest.raises(xb.XaiboardError, match=r"layer '3' has 1 x 1 pixels; give layer= .* such as 1, 0"):
        xb.explain(network, "gradcam", X, TARGET, layer="3")
    assert xb.explain(network, "gradcam", X, TARGET).flatten(1).std(1).max() > 0


def test_a_vision_transformer_needs_a_layer_and_the_grid_of_its_tokens() -> None:
    """grad-cam 76, 363; torch-cam 133."""

    class Transformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Conv2d(1, 8, 2, 2), nn.Linear(8, 4)
            self.encode = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.encode(self.embed(x).flatten(2).mT).mean(1))

    network = seeded(Transformer())
    with pytest.raises(xb.XaiboardError, match=r"works on tokens.*layer=.*reshape="):
        xb.explain(network, "gradcam", X, TARGET)
    for method in ("gradcam", "gradcam_plus_plus", "layercam"):
        found = xb.explain(network, method, X, TARGET, layer="0.encode", reshape="auto")
        assert torch.equal(found, xb.explain(network, f"{method}[layer=0.encode,reshape=4x4]", X, TARGET))
        assert found.flatten(1).std(1).max() > 0


def test_the_layer_of_a_map_can_be_chosen(run: Runner, cnn: nn.Sequential) -> None:
    """grad-cam 153, 296."""
    finished = run(models={"net": cnn}, methods="gradcam,gradcam[layer=1]", metrics="gini")
    assert set(finished.leaderboard["method"]) == {"gradcam", "gradcam[layer=1]"}
    before, behind = (xb.explain(small(), "gradcam", X, TARGET, layer=layer) for layer in ("0", "1"))
    assert torch.equal(before, xb.explain(small(), "gradcam", X, TARGET))
    assert not torch.allclose(before, behind)


def test_a_model_that_returns_a_tuple_is_refused_with_what_came() -> None:
    """grad-cam 386, 481."""

    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x.flatten(1)[:, :4], x

    with pytest.raises(xb.XaiboardError, match=r"returns a tuple \(\(2, 4\), \(2, 1, 8, 8\)\) where logits"):
        xb.explain(Pair(), "gradcam", X, TARGET)


@pytest.mark.parametrize("how", ["script", "trace"])
def test_torchscript_runs_what_needs_no_hooks(
    how: str, cnn: nn.Sequential, run: Runner, tmp_path: Path
) -> None:
    """Shap 3532, grad-cam 258."""
    scripted = torch.jit.script(cnn) if how == "script" else torch.jit.trace(cnn, torch.rand(2, 1, 8, 8))
    methods = "saliency,occlusion,gradcam,guided_backprop,deeplift,lrp_epsilon"
    given = {"methods": methods, "metrics": "deletion[steps=4,orders=2]"}
    finished, plain = (
        run(models={"net": each}, out=tmp_path / str(number), **given)
        for number, each in enumerate((scripted, cnn))
    )
    cells = finished.cells.set_index("method")
    assert set(cells.index[cells["status"] == "ok"]) == {"saliency", "occlusion"}
    notes = cells["note"][cells["status"] == "inapplicable"]
    assert len(notes) == 4
    assert notes.str.contains("since it is TorchScript; give the model as it was before").all()
    means = [
        board.leaderboard.query("metric == 'deletion'").set_index("method")["mean"]
        for board in (finished, plain)
    ]
    for method in ("saliency", "occlusion"):
        assert means[0][method] == pytest.approx(means[1][method], rel=1e-5)


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_weights_that_hooks_compute_can_be_copied(run: Runner, tmp_path: Path) -> None:
    """Torchlip 19, pytorch 28594: also where a metric copies the network, after it has been run."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.utils.weight_norm(nn.Linear(64, 8)), nn.ReLU(), nn.Linear(8, 4))
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 4))
    network(torch.rand(1, 1, 8, 8))
    plain[1].load_state_dict(
        {
            "weight": torch.as_tensor(network.get_submodule("1").weight).detach(),
            "bias": network.get_parameter("1.bias"),
        }
    )
    plain[3].load_state_dict(network[3].state_dict())
    given = {"methods": "saliency", "metrics": "gini,deletion[steps=4,orders=2],tightness"}
    boards = [
        run(models={"net": each}, out=tmp_path / str(number), **given)
        for number, each in enumerate((network, plain))
    ]
    assert not len(boards[0].failed)
    means = [board.leaderboard.set_index("metric")["mean"] for board in boards]
    for metric in ("gini", "deletion"):
        assert means[0][metric] == pytest.approx(means[1][metric], rel=1e-5)
