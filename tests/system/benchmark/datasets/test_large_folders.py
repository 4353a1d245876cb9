"""Folders that are too large to be decoded, have some of a network's classes, or images of several sizes."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torch import nn
from xaiboard.benchmark.engine.plan import Plan
from xaiboard.benchmark.errors import XaiboardError, XaiboardWarning
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs.planning import make_plan
from xaiboard.benchmark.subjects.datasets import load_data, open_data
from xaiboard.benchmark.subjects.reference import load_reference
from xaiboard.benchmark.subjects.trained_models import wrap
from xaiboard.benchmark.toolkit.preprocessing import Preprocessing
from xaiboard.benchmark.toolkit.streamed_data import StreamedData

RNG = np.random.Generator(np.random.Philox(7))


def save(path: Path, width: int = 9, height: int = 8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six test images and three training images of each of two classes."""
    for name in ("cat", "dog"):
        for number in range(6):
            save(tmp_path / "test" / name / f"{number}.png")
        for number in range(3):
            save(tmp_path / "train" / name / f"{number}.png")
    return tmp_path


def streamed(name: str) -> StreamedData:
    data = open_data(name)
    assert isinstance(data, StreamedData)
    return data


def test_only_the_samples_asked_for_are_decoded(root: Path) -> None:
    """All other files but the first, which says what size images have, end after their header."""
    name = f"image-folder:{root}"
    whole, few = load_data(name), load_data(name, samples=3)
    files = sorted((root / "test").rglob("*.png"))
    for number in {*range(1, 12)} - {*few.ids}:
        files[number].write_bytes(files[number].read_bytes()[:50])
    again = load_data(name, samples=3)
    assert again.digest == few.digest
    assert torch.equal(again.x, whole.x[list(few.ids)])
    with pytest.raises(XaiboardError, match="cannot be read"):
        load_data(name)


def test_a_digest_is_that_of_the_decoded_images(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = streamed(f"image-folder:{root}")[2:9]
    monkeypatch.setattr("xaiboard.benchmark.toolkit.streamed_data.PIECE_BYTES", 3 * 4 * 3 * 8 * 9)
    assert [len(piece) for piece in data.pieces()] == [3, 3, 1]
    assert data.digest == data.in_memory().digest


def test_an_image_that_changes_during_a_run_is_refused(root: Path) -> None:
    data = streamed(f"image-folder:{root}")
    assert data.digest
    save(root / "test" / "dog" / "3.png")
    with pytest.raises(
        XaiboardError, match=r"'test/dog/3.png' in .* has changed since it was first read; run again"
    ):
        _ = data[9:].x


def test_the_reference_of_a_large_split_is_that_of_a_fixed_subset(root: Path) -> None:
    """A smaller subset lies within a larger one, as for test samples."""
    train = load_data(f"image-folder:{root}", split="train", samples=4)
    used, whole = load_reference(f"image-folder:{root}[reference=4]"), load_reference(f"image-folder:{root}")
    assert torch.equal(used.mean, train.x.mean(0, dtype=torch.float64).float())
    assert (used.of_all, whole.of_all) == (False, True)
    assert used.digest != whole.digest


def cells(root: Path, settings: str = "") -> list[tuple[str, bool]]:
    """Reason against the cells with baseline zero and mean, and whether the reference is part of the identity."""
    request = read_request(
        dataset=f"image-folder:{root}{settings}",
        models=flat(216),
        methods="saliency",
        metrics="deletion[patch=3],deletion[patch=3,baseline=mean]",
        samples=2,
    )
    return [(cell.reason, bool(cell.identity["reference"])) for cell in make_plan(request).cells]


def test_statistics_are_needed_only_by_components_that_ask_for_them(root: Path) -> None:
    """Where all training images are used, whoever may ask has them in its identity, as in published records."""
    assert cells(root) == [("", True), ("", True)]
    assert cells(root, "[reference=4]") == [("", False), ("", True)]
    (root / "train").rename(root / "elsewhere")
    zero, mean = cells(root)
    assert zero == ("", False)
    assert "has no class folders in 'train/'; put the train images, which gives the reference" in mean[0]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("classes.json", json.dumps(["bird", "cat", "cow", "dog"])),
        ("classes.json", json.dumps({"bird": 0, "cat": 1, "dog": 3, "cow": 2})),
        (
            "imagenet_class_index.json",
            json.dumps({str(i): [f"n{i}", name] for i, name in enumerate(["a", "cat", "b", "dog"])}),
        ),
        ("classes.json", json.dumps([["x", "bird"], ["cat", "Cat"], ["y", "Cat"], ["dog", "Dog"]])),
        ("LOC_synset_mapping.txt", "n1 bird\ncat tabby, tabby cat\nn2 cow\ndog hound\n"),
    ],
)
def test_a_class_map_gives_labels_of_a_network_with_more_classes(root: Path, file: str, content: str) -> None:
    (root / file).write_text(content)
    data = load_data(f"image-folder:{root}")
    assert len(data.classes) == 4
    assert data.label.tolist() == [1] * 6 + [3] * 6


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('["cat", "cow"]', "has the class folder 'test/dog', and 'classes.json' lists no such class among its 2"),
        ('[["a", "cat"], ["b", "cat"], ["dog", "dog"]]', "lists 2 classes named 'cat'; call their folders by"),
        ('{"0": "cat", "2": "dog"}', "its indices are not 0 to 1, each once"),
        ('{"cat": 0, "dog": 0}', "its indices are not 0 to 1, each once"),
        ('["cat", "dog", "dog"]', "lists 'dog' 2 times)"),
        ('["cat", ["n1", "dog"]]', "has an id for 1 of 2 classes only"),
        ('["cat", 3]', "it has the class '3'"),
        ('["cat", " "]', "a class without a name"),
        ("7", "it is no list"),
        ("{", "cannot be read (Expecting property name"),
        ("[" * 100_000, "cannot be read (maximum recursion"),
    ],
)  # fmt: skip
def test_a_class_map_that_does_not_fit(root: Path, content: str, said: str) -> None:
    (root / "classes.json").write_text(content)
    with pytest.raises(XaiboardError) as caught:
        load_data(f"image-folder:{root}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mixed_sizes_are_resized_where_a_setting_says_so(root: Path) -> None:
    """By hand: the shorter side becomes 8, of which the middle 4 are cut out; along the other side too."""
    wide = save(root / "test" / "cat" / "0.png", width=32, height=16)
    with pytest.raises(
        XaiboardError, match=r"expected images of one size; resize them, or write \[side=224\] after"
    ):
        load_data(f"image-folder:{root}")
    data = load_data(f"image-folder:{root}[side=4,crop=0.5]")
    assert data.shape == (3, 4, 4)
    resized = Image.open(wide).resize((16, 8), Image.Resampling.BILINEAR)
    by_hand = torch.from_numpy(np.array(resized)[2:6, 6:10]).permute(2, 0, 1) / 255
    assert torch.equal(data.x[0], by_hand)
    bicubic = load_data(f"image-folder:{root}[side=4,crop=0.5,interpolation=bicubic]")
    assert not torch.equal(bicubic.x, data.x)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("image-folder:x[size=3]", "'image-folder' has no setting 'size'; it has: side, crop"),
        ("image-folder:x[side=-1]", "setting 'side' of 'image-folder' must be from 0 to 4096"),
        ("digits[side=3]", "'digits' has no setting 'side'"),
    ],
)
def test_settings_of_a_data_set_are_checked(name: str, said: str) -> None:
    with pytest.raises(XaiboardError, match="^" + said):
        load_data(name)


WANTED = Preprocessing((4, 6), (4, 6), (0.5,), (0.5,))
"""What a network from a library says that it wants of its images."""


def test_a_network_has_mixed_sizes_brought_to_the_one_that_it_wants(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training images too; a setting of the data set goes before it, and two networks must agree."""
    save(root / "test" / "cat" / "0.png", width=32, height=16)
    monkeypatch.setattr(
        "xaiboard.benchmark.runs.planning.trained_models.load", lambda *_: wrap(flat(72), "n")
    )

    def plan(*wanted: Preprocessing, settings: str = "") -> Plan:
        models = {str(number): SimpleNamespace(preprocessing=each) for number, each in enumerate(wanted)}
        asked = read_request(
            dataset=f"image-folder:{root}{settings}",
            models=flat(72),
            methods="saliency",
            metrics="deletion[patch=3,baseline=mean]",
        )
        return make_plan(replace(asked, models=models))  # pyright: ignore[reportArgumentType]

    found = plan(WANTED)
    assert found.data.shape == (3, 4, 6)
    assert found.reference is not None
    assert found.reference.mean.shape == (3, 4, 6)
    with pytest.raises(
        XaiboardError, match="'0' and '1' want images of other sizes or cuts; run them one by one"
    ):
        plan(WANTED, replace(WANTED, resize=5))
    assert streamed(f"image-folder:{root}[side=5]").prepared(WANTED).shape == (3, 5, 5)


def test_what_a_network_of_the_user_calls_preprocessing_is_its_own(root: Path) -> None:
    network = nn.Sequential(OrderedDict(preprocessing=nn.Flatten(), logits=nn.Linear(216, 2)))
    name = f"image-folder:{root}"
    request = read_request(dataset=name, models=network, methods="saliency", metrics="gini", samples=2)
    assert [cell.reason for cell in make_plan(request).cells] == [""]


def flat(values: int, classes: int = 2) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(values, classes))


@pytest.fixture
def imagenet(tmp_path: Path) -> Path:
    """Two validation images side by side, with a kit of three classes whose numbers are not in the order of WordNet."""
    for number in (1, 2):
        save(tmp_path / "val" / f"ILSVRC2012_val_{number}.JPEG", width=300, height=260)
    kit = tmp_path / "ILSVRC2012_devkit_t12" / "data"
    kit.mkdir(parents=True)
    rows = [(1, "n3", "cat, tabby", 0), (2, "n1", "dog", 0), (3, "n2", "cow", 0), (4, "n0", "animal", 3)]
    fields = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    savemat(kit / "meta.mat", {"synsets": np.array(rows, dtype=fields)})
    (kit / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n3\n")
    return tmp_path


def test_imagenet_has_its_classes_in_the_order_of_wordnet(
    imagenet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(XaiboardError, match="has folders of 3 classes, expected the 1000 of ImageNet; put"):
        load_data(f"imagenet:{imagenet}")
    monkeypatch.setattr(sys.modules["xaiboard.benchmark.datasets.imagenet"], "CLASSES", 3)
    hidden = save(imagenet / "val" / ".old.JPEG")
    with pytest.warns(XaiboardWarning, match="hidden files and links to folders are ignored: 1 in"):
        flat_folder = load_data(f"imagenet:{imagenet}")
    hidden.unlink()
    assert flat_folder.shape == (3, 224, 224)
    assert (list(flat_folder.classes), flat_folder.label.tolist()) == (["dog", "cow", "cat"], [2, 1])
    for name, file in (("n3", "1"), ("n2", "2")):
        (imagenet / "val" / name).mkdir()
        (imagenet / "val" / f"ILSVRC2012_val_{file}.JPEG").rename(imagenet / "val" / name / f"{file}.JPEG")
    (imagenet / "classes.json").write_text('[["n1", "dog"], ["n2", "cow"], ["n3", "cat"]]')
    sorted_folders = load_data(f"imagenet:{imagenet}")
    assert sorted_folders.label.tolist() == [1, 2]
    assert torch.equal(sorted_folders.x, flat_folder.x.flip(0))
    (imagenet / "classes.json").write_text('[["n1", "dog"], ["n3", "cat"], ["n2", "cow"]]')
    with pytest.raises(
        XaiboardError, match=r"'classes.json' in .* in another order than that of their WordNet"
    ):
        load_data(f"imagenet:{imagenet}")


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ("1\n", "has 2 validation images, and '.*' lists 1"),
        ("1\n9\n", "cannot be read .9."),
        (None, "No such file"),
    ],
)
def test_a_development_kit_that_does_not_fit(imagenet: Path, truth: str | None, said: str) -> None:
    file = imagenet / "ILSVRC2012_devkit_t12" / "data" / "ILSVRC2012_validation_ground_truth.txt"
    file.write_text(truth) if truth else file.unlink()
    with pytest.raises(XaiboardError, match=said):
        load_data(f"imagenet:{imagenet}")
