"""Networks by name, as timm, torchvision and transformers build them: their weights, their images, their maps."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import xaiboard.benchmark as xb
from click.testing import CliRunner
from helpers import Runner
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from xaiboard.benchmark import cli
from xaiboard.benchmark.methods.shared.cam import features_and_gradients
from xaiboard.benchmark.subjects.named_networks import read_named
from xaiboard.benchmark.subjects.prepared import Prepared
from xaiboard.benchmark.subjects.trained_models import load, module_digest
from xaiboard.benchmark.toolkit.data import Data
from xaiboard.benchmark.toolkit.preprocessing import Preprocessing

SMALL = "[pretrained=random,classes=4,side=32]"
NETWORKS = (
    "timm:resnet18",
    "timm:convnext_atto",
    "timm:vit_tiny_patch16_224",
    "timm:mobilenetv3_small_050",
    "hf",
)

CAMS = {"gradcam", "gradcam_plus_plus", "guided_gradcam", "layercam"}
RULES = {"deconvnet", "deeplift", "deeplift_shap", "guided_backprop", "guided_gradcam", "lrp_epsilon"}
ATTENTION = {"attention_relevance", "attention_rollout"}
INAPPLICABLE = {
    "timm:resnet18": {"lrp_epsilon", *ATTENTION},
    "timm:convnext_atto": RULES | ATTENTION,
    "timm:vit_tiny_patch16_224": RULES | CAMS,
    "timm:mobilenetv3_small_050": {"deeplift", "deeplift_shap", "lrp_epsilon", *ATTENTION},
    "hf": RULES | CAMS,
}
"""Methods that do not apply without further settings."""

FEW = {"draws": 2, "steps": 2, "window": 16, "stride": 16, "patch": 16, "cells": 2}
"""Settings for a quick map."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", connect)


@pytest.fixture(scope="module")
def folder(transformers: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ANN401
    """A ViT of three layers with random weights, as transformers writes it."""
    path = tmp_path_factory.mktemp("hf") / "vit"
    configuration = transformers.ViTConfig(
        hidden_size=24, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, image_size=64, patch_size=16,
        num_labels=4,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.ViTForImageClassification(configuration).save_pretrained(path)
    transformers.ViTImageProcessor(size={"height": 64, "width": 64}, resample=3).save_pretrained(path)
    return path


@pytest.fixture(scope="module", params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def network(name: str, timm: ModuleType, folder: Path) -> nn.Module:
    return xb.load_model(f"{name}:{folder}" if name == "hf" else name + SMALL)


@pytest.fixture(scope="module")
def x() -> Tensor:
    return torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def target() -> Tensor:
    return torch.tensor([3])


def test_every_method_explains_it_or_says_why_not(
    name: str, network: nn.Module, x: Tensor, target: Tensor
) -> None:
    refused = {}
    built_in = {
        name: entry for name, entry in xb.methods.items() if entry.built_in
    }  # other tests register their own
    for method, entry in built_in.items():
        settings = {setting: value for setting, value in FEW.items() if setting in entry.settings}
        try:
            found = xb.explain(network, method, x, target, reference=xb.Reference(x.mean(0), x), **settings)
        except xb.XaiboardError as error:
            refused[method] = str(error)
        else:
            assert found.shape == x.shape, method
            assert found.isfinite().all(), method
    assert set(refused) == INAPPLICABLE[name]
    assert all("does not apply" in reason and "Prepared" not in reason for reason in refused.values()), (
        refused
    )


def test_the_gradient_is_that_of_finite_differences(network: nn.Module, x: Tensor, target: Tensor) -> None:
    """Along a random direction, in float64; the preprocessing is part of the network."""
    exact = type(network)(network.network, network.preprocessing)  # pyright: ignore[reportArgumentType, reportCallIssue]
    exact = exact.double().eval()
    try:
        images = 0.25 + x.double() / 2
        step = 1e-8 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        gradient = xb.explain(exact, "saliency", images, target)
        with torch.no_grad():
            change = (exact(images + step) - exact(images - step)).gather(1, target[:, None])[:, 0]
        expected = 2 * (gradient * step).flatten(1).sum(1)
        torch.testing.assert_close(change, expected, rtol=1e-3, atol=1e-15)
    finally:
        network.float()


def test_deeplift_adds_up_through_the_preprocessing(timm: ModuleType, x: Tensor, target: Tensor) -> None:
    """Also where the network resizes its images: ``f(x) - f(0)``, for images of 32 pixels at 48."""
    network = xb.load_model("timm:resnet18[pretrained=random,classes=4,side=48]")
    found = xb.explain(network, "deeplift", x, target).flatten(1).sum(1)
    with torch.no_grad():
        change = (network(x) - network(torch.zeros_like(x))).gather(1, target[:, None])[:, 0]
    torch.testing.assert_close(found, change, rtol=1e-3, atol=1e-4)


@pytest.fixture
def transformer(request: pytest.FixtureRequest, timm: Any, folder: Path) -> nn.Module:  # noqa: ANN401
    if request.param == "swin":
        return timm.models.SwinTransformer(
            img_size=64, window_size=4, embed_dim=12, depths=(1, 1), num_heads=(2, 2), num_classes=4
        )
    return xb.load_model(
        f"hf:{folder}" if request.param == "hf" else "timm:test_vit[pretrained=random,classes=4,side=64]"
    )


@pytest.mark.parametrize(
    ("transformer", "layer", "sides"),
    [
        ("vit", "blocks.4.norm1", (4, 4)),
        ("swin", "layers.1", (8, 8)),
        ("hf", "network.vit.layers.1.layernorm_before", (4, 4)),
    ],
    indirect=["transformer"],
)
def test_transformers_have_maps_by_layer_and_reshape(
    transformer: nn.Module, layer: str, sides: tuple[int, int]
) -> None:
    """The usual grid of patches is found."""
    image, target = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)), torch.tensor([1])
    features, _ = features_and_gradients(transformer.eval(), image, target, layer, "auto")
    assert features.shape[2:] == sides
    assert xb.explain(transformer, "layercam", image, target, layer=layer, reshape="auto").any()
    with pytest.raises(xb.XaiboardError, match=r"'nowhere' does not exist; give layer= (?!.*_norm)"):
        features_and_gradients(
            transformer, image, target, "nowhere", "auto"
        )  # heads of attention are no maps


def test_rollout_is_that_of_the_attentions_that_hugging_face_returns(folder: Path, transformers: Any) -> None:  # noqa: ANN401
    """Fused attention is read as the network's own step-by-step attention says."""
    image, target = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)), torch.tensor([1])
    found = xb.explain(xb.load_model(f"hf:{folder}"), "attention_rollout", image, target)
    eager = transformers.ViTForImageClassification.from_pretrained(folder, attn_implementation="eager").eval()
    related = torch.eye(17)
    for weights in eager((image - 0.5) / 0.5, output_attentions=True).attentions:
        related = (weights[0].mean(0) + torch.eye(17)) / 2 @ related
    coarse = related[0, 1:].view(1, 1, 4, 4).detach()
    expected = functional.interpolate(coarse, (64, 64), mode="bilinear").expand(1, 3, 64, 64) / 3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


def test_random_weights_are_named_as_untrained_and_repeat(timm: ModuleType, x: Tensor) -> None:
    state = torch.random.get_rng_state()
    digests = {}
    for seed in (0, 0, 1):
        item = f"timm:test_resnet[pretrained=random,seed={seed},classes=4,side=64]"
        trained = load(read_named(item), "birds", (3, 64, 64), 4)
        digests.setdefault(trained.name, set()).add(trained.digest)
    assert set(digests) == {"timm:test_resnet.untrained", "timm:test_resnet.untrained.seed1"}
    assert [len(each) for each in digests.values()] == [1, 1]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_weights_come_from_the_cache_of_the_hub(
    timm: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The images that timm's own transform would give, and the logits of timm's own network for them."""
    item = "timm:test_resnet.r160_in1k"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.file_download.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--timm--test_resnet.r160_in1k"
    with pytest.raises(
        xb.XaiboardError, match=f"no weights on this machine: model.safetensors is not at '{repository}'"
    ):
        xb.load_model(item)
    source = timm.create_model("test_resnet", pretrained=False).eval()
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    save_file(source.state_dict(), snapshot / "model.safetensors")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    network = xb.load_model(item)
    wanted = network.preprocessing
    assert isinstance(wanted, Preprocessing)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(source))

    image = Image.fromarray(
        torch.randint(0, 256, (200, 300, 3), generator=torch.Generator().manual_seed(0)).byte().numpy()
    )
    seen = torch.as_tensor(np.array(wanted.prepared(image))).permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(network(seen), source(transform(image)[None]), rtol=1e-4, atol=1e-5)


def test_weights_come_from_the_cache_of_torchvision(
    torchvision: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    item = "torchvision:squeezenet1_1.IMAGENET1K_V1"
    with pytest.raises(xb.XaiboardError, match=r"squeezenet1_1-b8a52dc0.pth is not at .*or give pretrained="):
        xb.load_model(item)
    source = torchvision.models.squeezenet1_1(weights=None).eval()
    file = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    file.parent.mkdir(parents=True)
    torch.save(source.state_dict(), file)
    network = xb.load_model(item)
    transform = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.transforms()
    image = torch.rand(3, 224, 224, generator=torch.Generator().manual_seed(0))
    normalised = torchvision.transforms.functional.normalize(image, transform.mean, transform.std)
    torch.testing.assert_close(network(image[None]), source(normalised[None]), rtol=1e-4, atol=1e-5)
    wanted = network.preprocessing
    assert isinstance(wanted, Preprocessing)
    assert (wanted.resize, wanted.size, wanted.interpolation) == (256, (224, 224), "bilinear")


def test_hugging_face_says_size_and_normalisation(folder: Path, transformers: Any) -> None:  # noqa: ANN401
    network = xb.load_model(f"hf:{folder}")
    assert network.preprocessing == Preprocessing((64, 64), (64, 64), (0.5,) * 3, (0.5,) * 3, "bicubic")
    source = transformers.AutoModelForImageClassification.from_pretrained(folder).eval()
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(image), source((image - 0.5) / 0.5).logits, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    """A smooth one: what is sharp depends on how exactly libraries average pixels."""
    rows, columns = np.mgrid[0:300, 0:420]
    waves = [np.sin(rows / a + columns / b) for a, b in ((40, 60), (25, -80), (90, 30))]
    return Image.fromarray((127 + 120 * np.stack(waves, 2)).astype(np.uint8))


@pytest.mark.parametrize(
    "name", ["resnet18.a1_in1k", "convnext_base.fb_in22k_ft_in1k_384", "tf_efficientnet_b0"]
)
def test_images_are_prepared_as_timm_does(name: str, timm: Any, photograph: Image.Image) -> None:  # noqa: ANN401
    """Resized to the shorter side or squeezed, and cut: pixel for pixel."""
    wanted = read_named(f"timm:{name}").preprocessing
    assert wanted is not None
    settings = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    resize, cut, *_ = timm.data.create_transform(**settings).transforms
    assert np.array_equal(np.asarray(wanted.prepared(photograph)), np.asarray(cut(resize(photograph))))


@pytest.mark.parametrize(
    ("processor", "settings"),
    [
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 224}}),
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}}),
        ("MobileNetV2ImageProcessor", {"do_normalize": False}),
        ("DeiTImageProcessor", {}),
    ],
)
def test_images_are_prepared_as_hugging_face_does(
    processor: str,
    settings: dict[str, Any],
    folder: Path,
    transformers: Any,  # noqa: ANN401
    photograph: Image.Image,
    tmp_path: Path,
) -> None:
    """It resizes tensors, and averages pixels almost as Pillow does."""
    shutil.copy(folder / "config.json", tmp_path)
    made = getattr(transformers, processor)(**settings)
    made.save_pretrained(tmp_path)
    wanted = read_named(f"hf:{tmp_path}").preprocessing
    assert wanted is not None
    seen = torch.from_numpy(np.array(wanted.prepared(photograph))).permute(2, 0, 1) / 255
    mean, std = (torch.tensor(each)[:, None, None] for each in (wanted.mean, wanted.std))
    (expected,) = made(photograph, return_tensors="pt")["pixel_values"]
    assert seen.shape == expected.shape
    assert (seen - (expected * std + mean)).abs().max() < 0.02


@pytest.mark.parametrize("name", ["timm:deepseek_vit_412m.deepseek_v4_1_flash", "hf:mobilevit"])
def test_images_that_are_prepared_in_another_way_are_refused(
    name: str,
    timm: ModuleType,
    transformers: Any,  # noqa: ANN401
    folder: Path,
    tmp_path: Path,
) -> None:
    """With a frame, or with channels in another order."""
    if name == "hf:mobilevit":
        shutil.copy(folder / "config.json", tmp_path)
        transformers.MobileViTImageProcessor().save_pretrained(tmp_path)
        name = f"hf:{tmp_path}"
    with pytest.raises(xb.XaiboardError, match=r"not known here.*from Python"):
        xb.load_model(name)


def test_a_file_of_weights_is_read_with_its_architecture(timm: Any, tmp_path: Path) -> None:  # noqa: ANN401
    file = tmp_path / "mine.safetensors"
    source = timm.create_model("test_resnet", pretrained=False, num_classes=5).eval()
    save_file(source.state_dict(), file)
    named = {
        item: load(read_named(item), "birds", (3, 160, 160), 5)
        for item in (
            f"file:{file}[arch=timm:test_resnet,classes=5,family=ot]",
            f"timm:test_resnet[pretrained={file},classes=5]",
        )
    }
    assert [(each.name, each.family) for each in named.values()] == [
        ("file:mine.safetensors", "ot"),
        ("timm:test_resnet@mine", "standard"),
    ]
    for item, trained in named.items():
        assert isinstance(trained.module, Prepared)
        assert trained.module.preprocessing == read_named(item).preprocessing
        assert module_digest(trained.module.network) == module_digest(source)


def test_weights_of_a_registered_architecture(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    source = xb.load_model("cnn.standard", dataset="digits")
    save_file(source.state_dict(), file)
    found = xb.load_model(f"file:{file}[arch=cnn.standard]", dataset="digits")
    assert module_digest(found) == module_digest(source)


def test_a_hugging_face_folder_without_a_classifier_is_refused(
    folder: Path,
    transformers: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    """Its last layer would be random."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    transformers.AutoModelForImageClassification.from_pretrained(folder).vit.save_pretrained(tmp_path)
    with pytest.raises(xb.XaiboardError, match=r"no weights of a classifier: 'classifier.bias' and others"):
        xb.load_model(f"hf:{tmp_path}")


WRONG = {
    "timm:resnet18[pretrained=mine.pt]": "'mine.pt' is a file that torch pickled.*save_file",
    "timm:resnet18[pretrained=nowhere.safetensors]": "weights 'nowhere.safetensors' must be .*does not exist",
    "timm:resnet18[pretrained=random,depth=3]": "'timm:resnet18' has no setting 'depth'; it has: pretrained, seed",
    "timm:resnet18[classes=4]": r"classes= and side= go with pretrained=",
    "timm:resnet18[arch=timm:resnet18]": "arch= is needed with a file, and with nothing else",
    "timm:resnet81": "timm has no network named 'resnet81'; did you mean 'timm:",
    "timm:resnet18.nobody": "timm has no network named 'resnet18.nobody'; did you mean 'timm:",
    "torchvision:resnet81": "torchvision has no network named 'resnet81'",
    "torchvision:resnet18.NONE": "torchvision has no weights 'resnet18.NONE'; there are: 'torchvision:resnet18.I",
    "torchvision:ssd300_vgg16": "is no classifier of images",
    "hf:nobody/nothing": "has no configuration on this machine: config.json is not at '.*models--nobody.*, or name a",
    "hf:nobody/nothing[pretrained=random]": "has no configuration on this machine: config.json",
    "file:{weights}[arch=resnet18]": "arch= must be a network of a library, such as timm:resnet18, or a registered",
}


@pytest.mark.parametrize("item", WRONG)
def test_a_mistake_in_a_name_is_one_sentence(
    item: str, timm: ModuleType, transformers: ModuleType, tmp_path: Path
) -> None:
    weights = tmp_path / "mine.safetensors"
    save_file({"a": torch.ones(1)}, weights)
    with pytest.raises(xb.XaiboardError, match=WRONG[item]):
        xb.load_model(item.format(weights=weights))


def test_weights_that_do_not_fit_are_said(timm: ModuleType, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    network = xb.load_model("timm:test_resnet[pretrained=random,classes=5]")
    assert isinstance(network, Prepared)
    weights = network.network.state_dict()
    save_file(weights, file)
    with pytest.raises(
        xb.XaiboardError, match=r"do not fit .*'fc.bias' is \(5,\), and \(4,\) in the network"
    ):
        xb.load_model(f"file:{file}[arch=timm:test_resnet,classes=4]")
    with pytest.raises(
        xb.XaiboardError, match=r"it lacks 'classifier.bias' and others; the network lacks 'bn1.bias'"
    ):
        xb.load_model(f"file:{file}[arch=hf:{folder}]")
    with pytest.raises(xb.XaiboardError, match=r"'classifier.bias' is \(4,\), and \(9,\) in the network"):
        xb.load_model(f"hf:{folder}[pretrained={folder / 'model.safetensors'},classes=9]")


@pytest.mark.parametrize(
    ("library", "fault", "said"),
    [
        (
            "timm",
            None,
            r'need the library .timm., which is not installed; run: pip install "xaiboard\[timm\]"',
        ),
        ("torchvision", RuntimeError("operator is missing"), "cannot be imported .*operator is missing"),
    ],
)
def test_a_library_that_cannot_be_loaded(
    library: str, fault: Exception | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault is None:
        monkeypatch.setitem(sys.modules, library, None)
    else:

        def broken(name: str) -> None:
            raise fault

        monkeypatch.setattr(f"xaiboard.benchmark.subjects.libraries.{library}_models.import_module", broken)
    with pytest.raises(xb.XaiboardError, match=said):
        xb.load_model(f"{library}:resnet18")


@pytest.fixture
def birds(registries: None) -> str:
    @xb.dataset(name="birds")
    def _birds(split: str) -> Data:
        x = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        return Data(x, torch.arange(4), [f"bird {label}" for label in range(4)])

    return "birds"


def test_a_run_takes_names(birds: str, run: Runner, timm: ModuleType) -> None:
    item = "timm:test_resnet[pretrained=random,classes=4,side=32,family=mine]"
    found = run(dataset=birds, models=item, methods="saliency", metrics="gini", perturbations=[], samples=2)
    (row,) = found.leaderboard.query("status == 'ok'").to_dict("records")
    assert (row["model"], row["family"]) == ("timm:test_resnet.untrained", "mine")
    with pytest.raises(xb.XaiboardError, match=r"has 1000 classes, and the data set has 4; .*classes=4"):
        run(dataset=birds, models="timm:test_resnet[pretrained=random]")
    with pytest.raises(
        xb.XaiboardError, match=r"takes images of 3 channels, and the data set has inputs of shape \(1,"
    ):
        run(dataset="digits", models="timm:test_resnet[pretrained=random,classes=10]")


def test_the_command_line_examines_a_network_by_name(birds: str, timm: ModuleType) -> None:
    name = "timm:test_resnet[pretrained=random,classes=4,side=32]"
    done = CliRunner().invoke(cli.commands, ["check", "--model", name, "--dataset", birds])
    assert done.exit_code == 0
    assert "logits: 4, finite" in done.output


def test_images_of_another_size_are_resized_and_none_is_cut() -> None:
    """A network that returns means of its images: resizing keeps them, and a crop would not."""
    prepared = Prepared(nn.Flatten(), Preprocessing((4, 4), 5, (0.25,), (0.5,)))
    x = torch.linspace(0, 1, 64).view(1, 1, 8, 8)
    torch.testing.assert_close(prepared(x).mean(), (x.mean() - 0.25) / 0.5)
    same = torch.rand(1, 1, 4, 4)
    torch.testing.assert_close(prepared(same), ((same - 0.25) / 0.5).flatten(1))
