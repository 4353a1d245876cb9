"""Folders of images: directories and zips, grey and colour, and everything that can be wrong with them."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from xaiboard.benchmark.datasets.shared import trees
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.toolkit.data import Data

RNG = np.random.Generator(np.random.Philox(2))
COLOUR = RNG.integers(0, 256, (4, 6, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (4, 6), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (4, 6), dtype=np.uint16)


def save(path: Path, pixels: np.ndarray | Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes; two cats and a dog to test on, one of each to train on."""
    folder = tmp_path / "pets"
    save(folder / "test" / "dog" / "c.png", COLOUR)
    save(folder / "test" / "cat" / "b.png", COLOUR[::-1])
    save(folder / "test" / "cat" / "a.PNG", 255 - COLOUR)
    save(folder / "train" / "cat" / "0.png", COLOUR)
    save(folder / "train" / "dog" / "0.png", COLOUR)
    return folder


def zipped(root: Path, *, wrap: str = "") -> Path:
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*"), reverse=True):
            archive.write(file, Path(wrap) / file.relative_to(root))
    return path


def read(path: Path, split: str = "test") -> Data:
    return load_data(f"image-folder:{path}", split=split)


def complaint(path: Path, split: str = "test") -> str:
    with pytest.raises(XaiboardError) as caught:
        read(path, split)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def bytes_of(x: torch.Tensor) -> np.ndarray:
    """Pixels ``(H, W, C)`` from 0 to 255 of an image ``(C, H, W)``."""
    return (x * 255).round().byte().permute(1, 2, 0).numpy()


def check(data: Data) -> None:
    assert data.x.shape == (3, 3, 4, 6)
    assert data.x.dtype == torch.float32
    assert data.x.is_contiguous()
    assert list(data.classes) == ["cat", "dog"]
    assert data.label.tolist() == [0, 0, 1]
    assert data.label.dtype == torch.int64
    for x, pixels in zip(data.x, (255 - COLOUR, COLOUR[::-1], COLOUR), strict=True):
        np.testing.assert_array_equal(bytes_of(x), pixels)


def test_directory(root: Path) -> None:
    check(read(root))
    assert len(read(root, "train")) == 2


@pytest.mark.parametrize("wrap", ["", "pets", "train-and-test"])
def test_zip(root: Path, wrap: str) -> None:
    path = zipped(root, wrap=wrap)
    shutil.rmtree(root)
    check(read(path))
    assert len(read(path, "train")) == 2


def test_zip_without_entries_for_folders(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "flat.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in root.rglob("*.*"):
            archive.write(file, file.relative_to(root))
    check(read(path))


def test_what_a_mac_and_an_editor_leave_behind_is_no_image(root: Path) -> None:
    (root / "test" / "cat" / ".a.png").write_bytes(b"?")
    (root / "test" / "cat" / "notes.txt").write_bytes(b"?")
    (root / "test" / ".hidden").mkdir()
    (root / "test" / "list.png").write_bytes(b"?")
    check(read(root))
    path = zipped(root, wrap="pets")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/pets/test/cat/._a.png", b"?")
        archive.writestr(".DS_Store", b"?")
    check(read(path))


def test_the_order_is_by_class_then_file(root: Path) -> None:
    save(root / "test" / "cat-2" / "a.png", COLOUR)
    save(root / "train" / "cat-2" / "a.png", COLOUR)
    data = read(root)
    assert list(data.classes) == ["cat", "cat-2", "dog"]
    assert data.label.tolist() == [0, 0, 1, 2]


def test_grey_has_one_channel(tmp_path: Path) -> None:
    save(tmp_path / "test" / "a" / "1.png", GREY)
    save(tmp_path / "test" / "a" / "2.png", Image.fromarray(GREY).convert("1"))
    save(tmp_path / "test" / "a" / "3.png", Image.fromarray(DEEP))
    save(tmp_path / "test" / "a" / "4.png", Image.fromarray(GREY).convert("LA"))
    data = read(tmp_path)
    assert data.x.shape == (4, 1, 4, 6)
    np.testing.assert_array_equal(bytes_of(data.x[0])[..., 0], GREY)
    assert set(data.x[1].unique().tolist()) <= {0, 1}
    np.testing.assert_allclose(data.x[2, 0].numpy(), DEEP / 65535, atol=0.5001 / 255)
    np.testing.assert_array_equal(bytes_of(data.x[3])[..., 0], GREY)


def test_one_coloured_image_makes_all_of_them_coloured(tmp_path: Path) -> None:
    save(tmp_path / "test" / "a" / "1.png", GREY)
    save(tmp_path / "test" / "a" / "2.png", COLOUR)
    data = read(tmp_path)
    assert data.shape == (3, 4, 6)
    np.testing.assert_array_equal(bytes_of(data.x[0]), np.repeat(GREY[..., None], 3, axis=2))


def test_alpha_is_dropped(tmp_path: Path) -> None:
    save(tmp_path / "test" / "a" / "1.png", np.dstack([COLOUR, GREY]))
    np.testing.assert_array_equal(bytes_of(read(tmp_path).x[0]), COLOUR)


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "bmp", "webp", "gif", "ppm"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / "test" / "a" / f"1.{suffix}", np.full((4, 6, 3), 128, dtype=np.uint8))
    data = read(tmp_path)
    assert data.shape == (3, 4, 6)
    torch.testing.assert_close(data.x, torch.full_like(data.x, 128 / 255), atol=0.02, rtol=0)


@pytest.mark.parametrize("content", [b"", b"hello", "cut"])
@pytest.mark.parametrize("as_zip", [True, False])
def test_a_file_that_is_no_image(root: Path, content: bytes | str, as_zip: bool) -> None:
    file = root / "test" / "cat" / "b.png"
    file.write_bytes(file.read_bytes()[:50] if isinstance(content, str) else content)
    path = zipped(root) if as_zip else root
    said = complaint(path)
    assert said.startswith(f"'test/cat/b.png' in '{path}' cannot be read (")
    assert said.endswith("replace or remove it")
    assert " at 0x" not in said


def test_a_format_outside_the_list_is_not_tried(root: Path) -> None:
    """Pillow hands PostScript to another program."""
    (root / "test" / "cat" / "b.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 4\n")
    assert "'test/cat/b.png'" in complaint(root)
    assert "(not an image), expected PNG, JPEG" in complaint(root)


def test_two_sizes(root: Path) -> None:
    save(root / "test" / "dog" / "c.png", COLOUR[:3])
    said = complaint(root)
    assert "'test/cat/a.PNG' is 6 x 4 pixels and 'test/dog/c.png' is 6 x 3" in said


def test_an_image_of_absurd_size(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 11)
    said = complaint(root)
    assert "'test/cat/a.PNG'" in said
    assert "exceeds limit of 22 pixels" in said


def test_a_member_of_absurd_size(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "LARGEST", 10)
    assert "'test/cat/a.PNG'" in complaint(zipped(root))
    assert "more than 10" in complaint(zipped(root))


def test_a_zip_with_a_flipped_bit(root: Path) -> None:
    path = zipped(root)
    content = path.read_bytes()
    pixels = (root / "test" / "cat" / "b.png").read_bytes()
    at = content.index(pixels) + 60
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert "'test/cat/b.png'" in complaint(path)
    assert "CRC" in complaint(path)


def test_a_zip_cut_short(root: Path) -> None:
    path = zipped(root)
    path.write_bytes(path.read_bytes()[:-100])
    assert f"'{path}' is neither, expected a directory or a zip" in complaint(path)


def test_a_zip_whose_directory_is_damaged(root: Path) -> None:
    path = zipped(root)
    path.write_bytes(path.read_bytes().replace(b"PK\x01\x02", b"PK\x01\x03", 1))
    assert f"'{path}' cannot be read (Bad magic number for central directory), expected a zip" in complaint(
        path
    )


def test_no_such_path(tmp_path: Path) -> None:
    assert f"'{tmp_path / 'x'}' does not exist, expected a directory or a zip" in complaint(tmp_path / "x")


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_missing_split(root: Path, as_zip: bool) -> None:
    shutil.rmtree(root / "train")
    path = zipped(root) if as_zip else root
    check(read(path))
    said = complaint(path, "train")
    assert said.startswith(f"'{path}' has no class folders in 'train/'")
    assert "reference statistics" in said


def test_no_test_split(root: Path) -> None:
    shutil.rmtree(root / "test")
    assert "has no class folders in 'test/'; put the test images into 'test/<class>/'" in complaint(root)


def test_a_class_in_one_split_only(root: Path) -> None:
    save(root / "train" / "emu" / "0.png", COLOUR)
    assert "has the class 'emu' in 'train/' but not in 'test/'" in complaint(root)
    shutil.rmtree(root / "train" / "emu")
    save(root / "test" / "ant" / "0.png", COLOUR)
    assert "has the class 'ant' in 'test/' but not in 'train/'" in complaint(root, "train")


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_class_without_images(root: Path, as_zip: bool) -> None:
    (root / "test" / "emu").mkdir()
    (root / "train" / "emu").mkdir()
    path = zipped(root) if as_zip else root
    assert f"'{path}' has no images in 'test/emu', expected files that end in .png" in complaint(path)


def test_a_zip_behind_a_password_or_of_a_method_unknown(root: Path) -> None:
    path = zipped(root)
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1  # the directory's first entry says: encrypted
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        name = archive.infolist()[0].filename
    assert f"'{name}'" in complaint(path, name.split("/")[0])


def test_the_real_cifar10_of_jpeg_files() -> None:
    path = Path(os.environ.get("XAIBOARD_DATA", "")) / "cifar10-jpeg.zip"
    if not path.is_file():
        pytest.skip("needs cifar10-jpeg.zip in the directory XAIBOARD_DATA")
    data = read(path)
    assert data.x.shape == (10000, 3, 32, 32)
    assert data.label.bincount().tolist() == [1000] * 10
    with zipfile.ZipFile(path) as archive:
        last = max(name for name in archive.namelist() if name.startswith("test/truck/") and name[-1] != "/")
        pixels = np.asarray(Image.open(io.BytesIO(archive.read(last))))
    np.testing.assert_array_equal(bytes_of(data.x[-1]), pixels)
