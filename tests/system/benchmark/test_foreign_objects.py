"""Objects of other libraries as methods, families of objects, files that are no safetensors, failed cells."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import captum.attr
import pytest
import torch
import xaiboard.benchmark as xb
from helpers import Runner
from torch import Tensor, nn
from xaiboard.benchmark.components.decorators import make_method
from xaiboard.benchmark.selection import choose_components

OBJECTS: dict[str, Callable[[nn.Sequential], captum.attr.Attribution]] = {
    "IntegratedGradients": lambda net: captum.attr.IntegratedGradients(net, multiply_by_inputs=False),
    "Saliency": captum.attr.Saliency,
    "GuidedGradCam": lambda net: captum.attr.GuidedGradCam(net, net[0]),
    "NoiseTunnel": lambda net: captum.attr.NoiseTunnel(captum.attr.Saliency(net)),
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.filterwarnings("ignore:Setting:UserWarning")
def test_an_object_of_captum_explains_with_its_settings(
    name: str, cnn: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    """Whatever network it was made for, it explains the one at hand."""
    other = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4))
    expected = OBJECTS[name](cnn)
    torch.manual_seed(0)
    wanted = expected.attribute(x.clone().requires_grad_(), target=target)  # pyright: ignore[reportAttributeAccessIssue]
    torch.manual_seed(0)
    found = xb.explain(cnn, OBJECTS[name](other), x, target)
    torch.testing.assert_close(found, wanted.detach())


def test_objects_of_captum_are_told_apart_by_their_settings(cnn: nn.Sequential, run: Runner) -> None:
    def keys(**settings: bool) -> set[str]:
        made = captum.attr.IntegratedGradients(cnn, **settings)
        finished = run(models={"net": cnn}, methods=[made], metrics="gini")
        assert set(finished.cells["method"]) == {"IntegratedGradients"}
        assert not len(finished.failed)
        return set(finished.keys)

    assert keys() == keys(multiply_by_inputs=True)
    assert keys() != keys(multiply_by_inputs=False)


def test_an_object_of_captum_that_fits_no_network_is_refused(
    cnn: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    with pytest.raises(xb.XaiboardError, match="captum's Saliency was made of a function"):
        xb.explain(cnn, captum.attr.Saliency(cnn.forward), x, target)
    other = nn.Sequential(nn.Sequential(nn.Conv2d(1, 4, 3)), nn.Flatten())
    with pytest.raises(xb.XaiboardError, match=r"made for a layer '0.0', which the model does not have"):
        xb.explain(cnn, captum.attr.GuidedGradCam(other, other.get_submodule("0.0")), x, target)


def test_an_object_of_captum_has_the_settings_of_its_class(
    cnn: nn.Sequential, x: Tensor, target: Tensor
) -> None:
    made = captum.attr.IntegratedGradients(cnn)
    found = xb.explain(cnn, made, x, target, n_steps=3)
    assert torch.equal(found, xb.explain(cnn, captum.attr.IntegratedGradients, x, target, n_steps=3))
    assert not torch.allclose(found, xb.explain(cnn, made, x, target))
    with pytest.raises(
        xb.XaiboardError, match=r"setting 'n_steps' of 'IntegratedGradients' must be int.*got 'many'"
    ):
        xb.explain(cnn, made, x, target, n_steps="many")
    with pytest.raises(
        xb.XaiboardError, match=r"^'IntegratedGradients' failed on the model: AssertionError: The numb"
    ):
        xb.explain(cnn, captum.attr.IntegratedGradients, x, target, n_steps=-1)
    (choice,) = choose_components(xb.methods, make_method, [made])
    assert choice.settings["n_steps"] == 50
    assert choice.identity["settings"] == {}, "records are older than the settings"


NEEDY: dict[str, tuple[Callable[[nn.Sequential], object], str]] = {
    "an object": (captum.attr.Occlusion, "Occlusion needs 'sliding_window_shapes', .*give a function in its place"),
    "a class": (lambda net: captum.attr.Occlusion, "Occlusion needs 'sliding_window_shapes'"),
    "an object inside": (lambda net: captum.attr.NoiseTunnel(captum.attr.Occlusion(net)), "Occlusion needs 'sliding"),
    "a neuron": (lambda net: captum.attr.NeuronGradient(net, net[0]), "NeuronGradient needs 'neuron_selector'"),
    "a class that is made of two": (lambda net: captum.attr.LayerGradCam, "LayerGradCam is made of 'layer', which"),
    "a class of another object": (lambda net: captum.attr.NoiseTunnel, "NoiseTunnel is made of 'attribution_method'"),
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDY)
def test_what_captum_needs_beyond_model_input_and_target_is_named(
    name: str, cnn: nn.Sequential, x: Tensor, target: Tensor, run: Runner
) -> None:
    make, said = NEEDY[name]
    for call in (lambda: xb.explain(cnn, make(cnn), x, target), lambda: run(methods=[make(cnn)])):
        with pytest.raises(xb.XaiboardError, match=f"^captum's {said}"):
            call()


def test_a_function_that_closes_over_a_network_is_identified_by_it(run: Runner) -> None:
    def by(seed: int) -> tuple[Callable[..., Tensor], nn.Module]:
        torch.manual_seed(seed)
        helper = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))

        def borrowed(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
            return x * helper(x).gather(1, target[:, None])[:, :, None, None].detach()

        return borrowed, helper

    with torch.random.fork_rng(devices=[]):
        keys = [run(methods=[by(seed)[0]], metrics="gini").keys for seed in (0, 0, 1)]
    assert keys[0] == keys[1] != keys[2]


def test_objects_have_the_family_that_is_given(mlp: nn.Module, cnn: nn.Module, run: Runner) -> None:
    models = {"mlp": mlp, "cnn": cnn}
    for family, wanted in (
        (None, {"mlp": "own", "cnn": "own"}),
        ("ot", {"mlp": "ot", "cnn": "ot"}),
        ({"cnn": "adversarial"}, {"mlp": "own", "cnn": "adversarial"}),
    ):
        found = run(models=models, methods="saliency", metrics="gini", family=family).cells
        assert dict(zip(found["model"], found["family"], strict=True)) == wanted
    with pytest.raises(xb.XaiboardError, match=r"'family' of run\(\) must be a text, a mapping or None; got"):
        run(models=models, family={"cnn": 3})
    for wrong in ({"resnet": "ot"}, {"cnn": ""}):
        with pytest.raises(
            xb.XaiboardError, match=r"family gives .* modules that are given as objects: mlp, cnn"
        ):
            run(models=models, family=wrong)


@pytest.mark.parametrize("file", ["net.pt", "folder/net.pth", "last.ckpt", "pytorch_model.bin"])
def test_a_pickled_network_is_refused_with_how_to_convert_it(file: str, run: Runner) -> None:
    with pytest.raises(xb.XaiboardError, match=rf"^'{file}' is a file that torch pickled.*save_file.*@model"):
        run(models=file)


def test_run_warns_of_failed_cells_and_raises_if_all_failed(mlp: nn.Module, run: Runner) -> None:
    def breaks(x: Tensor) -> Tensor:
        raise ValueError("no luck")

    with pytest.warns(
        UserWarning, match=r"^1 of 2 cells failed, as '.*' says; the first: ValueError: no luck"
    ):
        run(models={"mlp": mlp}, methods=[breaks, "saliency"], metrics="gini")
    with pytest.raises(xb.XaiboardError, match=r"^1 of 1 cells failed.*no luck"):
        run(models={"mlp": mlp}, methods=[breaks], metrics="gini")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        run(models={"mlp": mlp}, methods="saliency,gradcam", metrics="gini")
