"""Folders of images: directories and zips, grey and colour, and everything that can be wrong with them."""

from __future__ import annotations

import io
import os
import re
import shutil
import tracemalloc
import zipfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from xaiboard.benchmark.errors import XaiboardError, XaiboardWarning
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


def test_zip_with_backslashes(root: Path, tmp_path: Path) -> None:
    """As some programs on Windows write them."""
    path = tmp_path / "windows.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in root.rglob("*.*"):
            archive.writestr(str(file.relative_to(root)).replace("/", "\\"), file.read_bytes())
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
    monkeypatch.setenv("XAIBOARD_IMAGE_BYTES", "74")
    said = complaint(zipped(root))
    assert "'test/cat/a.PNG'" in said
    assert "XAIBOARD_IMAGE_BYTES allows 74" in said


def test_an_image_that_unpacks_to_more_than_is_allowed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six by four pixels of three bytes; the limit is met exactly, then not."""
    monkeypatch.setenv("XAIBOARD_IMAGE_BYTES", "72")
    check(read(root))
    monkeypatch.setenv("XAIBOARD_IMAGE_BYTES", "71")
    assert "'test/cat/a.PNG'" in complaint(root)
    assert "it unpacks to 72 bytes, and XAIBOARD_IMAGE_BYTES allows 71" in complaint(root)


def test_a_bomb_is_refused_by_its_header(root: Path) -> None:
    """25,000 x 25,000 pixels would be 1.9 GB; beyond Pillow's own limit the setting is named too."""
    for side in (9000, 25000):
        bomb = Image.new("1", (side, side))
        bomb.save(root / "test" / "cat" / "a.PNG")
        tracemalloc.start()
        said = complaint(root)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert "XAIBOARD_IMAGE_BYTES allows 134217728" in said
        assert peak < 2**24


def test_zeros_named_as_images_are_not_unpacked(root: Path) -> None:
    """A zip of a few KiB holds 100 MB; only the first bytes of it are read."""
    path = zipped(root)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("test/cat/zeros.png", bytes(100_000_000))
    tracemalloc.start()
    assert "'test/cat/zeros.png' in" in complaint(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


def test_images_that_unpack_to_more_than_is_allowed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAIBOARD_DATA_BYTES", str(3 * 72))
    check(read(root))
    monkeypatch.setenv("XAIBOARD_DATA_BYTES", str(3 * 72 - 1))
    assert "it unpacks to 216 bytes, and XAIBOARD_DATA_BYTES allows 215" in complaint(root)


@pytest.mark.parametrize("given", ["", "0", "-1", "many", "1e9", "²"])
def test_a_limit_that_is_no_number(root: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("XAIBOARD_IMAGE_BYTES", given)
    assert f"XAIBOARD_IMAGE_BYTES must be a number of bytes, such as 134217728; got '{given}'" in complaint(
        root
    )


@pytest.mark.parametrize("to", ["..", ".", "../../..", "../dog", "loop"])
def test_a_link_to_a_folder_inside_is_not_followed(root: Path, to: str) -> None:
    (root / "test" / "cat" / "loop").symlink_to(to)
    if to == "../../..":
        assert "leads out of the folder" in complaint(root)
        return
    said = f"hidden files and links to folders are ignored: 1 in '{root}', such as 'test/cat/loop'"
    ignored = pytest.warns(XaiboardWarning, match=f"^{re.escape(said)}$") if to != "loop" else nullcontext()
    with ignored:
        check(read(root))


@pytest.mark.parametrize("where", ["test", "test/cat", "test/cat/a.PNG"])
def test_a_link_out_of_the_folder(root: Path, tmp_path: Path, where: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (root / where).rename(elsewhere)
    (root / where).symlink_to(elsewhere)
    assert f"'{where}' in '{root}' is a link that leads out of the folder, to '{elsewhere}'" in complaint(
        root
    )


def test_links_that_stay_inside_and_a_link_to_the_folder_itself(root: Path, tmp_path: Path) -> None:
    (root / "test" / "cat" / "a.PNG").rename(root / "a.PNG")
    (root / "test" / "cat" / "a.PNG").symlink_to("../../a.PNG")
    (tmp_path / "pets of mine").symlink_to(root)
    check(read(tmp_path / "pets of mine"))


def test_a_link_to_nothing(root: Path) -> None:
    (root / "test" / "cat" / "c.png").symlink_to("d.png")
    assert "'test/cat/c.png' in" in complaint(root)
    assert "No such file" in complaint(root)


def test_only_regular_files_are_opened(root: Path) -> None:
    """A pipe would be waited for, and a device read for ever."""
    os.mkfifo(root / "test" / "cat" / "c.png")
    assert "'test/cat/c.png' in" in complaint(root)
    assert "it is no regular file" in complaint(root)
    os.mkfifo(root / "pipe.zip")
    assert "is neither, expected a directory or a zip" in complaint(root / "pipe.zip")
    assert "is neither, expected a directory or a zip" in complaint(Path("/dev/zero"))


def test_a_link_in_a_zip(root: Path) -> None:
    path = zipped(root)
    link = zipfile.ZipInfo("test/cat/c.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "'test/cat/c.png'" in complaint(path)
    assert "it is a link in a zip" in complaint(path)


@pytest.mark.parametrize(
    "name", ["../test/cat/c.png", "test/../../c.png", "test\\..\\c.png", "/test/cat/c.png", "test/cat/\n.png"]
)
def test_names_in_a_zip_that_lead_out_of_it(root: Path, name: str) -> None:
    path = zipped(root)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "?")
    assert f"'{path}' holds a file named {name!r}, expected names that lead to a place inside" in complaint(
        path
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_two_files_of_one_name(root: Path) -> None:
    path = zipped(root)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("test/cat/b.png", "?")
    assert f"'{path}' holds two files of one name" in complaint(path)


@pytest.mark.parametrize("as_zip", [True, False])
def test_hidden_images_are_said(root: Path, as_zip: bool) -> None:
    save(root / "test" / "cat" / ".b.png", COLOUR)
    save(root / "test" / "dog" / ".thumbnails" / "c.png", COLOUR)
    save(root / "train" / "dog" / ".d.png", COLOUR)
    (root / "test" / "cat" / ".DS_Store").write_bytes(b"?")
    path = zipped(root) if as_zip else root
    number = 2 + as_zip  # a zip names the folder and what is in it
    said = f"ignored: {number} in '{path}', such as 'test/cat/.b.png'"
    with pytest.warns(XaiboardWarning, match=re.escape(said)):
        check(read(path))


def test_files_with_other_endings_and_images_in_no_class_are_said(root: Path) -> None:
    save(root / "test" / "cat" / "b.tif", COLOUR)
    save(root / "test" / "list.png", COLOUR)
    said = (
        f"files with other endings or in no class folder are ignored: 2 in '{root}', such as 'test/cat/b.tif'"
    )
    with pytest.warns(XaiboardWarning, match=f"^{re.escape(said)}$"):
        check(read(root))


@pytest.mark.filterwarnings("error")
def test_nothing_is_said_where_nothing_is_ignored(root: Path) -> None:
    for name in (".DS_Store", "Thumbs.db"):
        (root / "test" / "cat" / name).write_bytes(b"?")
    check(read(root))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_images_are_turned_as_their_exif_says(tmp_path: Path, orientation: int, suffix: str) -> None:
    """An image that a camera has saved lying on its side, beside one that was saved upright."""
    upright = np.zeros((16, 24, 3), dtype=np.uint8)
    upright[:8, :16] = 200
    back = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2), 6: np.rot90, 7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    folder = tmp_path / "test" / "a"
    folder.mkdir(parents=True)
    save(folder / "1.png", upright)
    Image.fromarray(np.ascontiguousarray(back[orientation](upright))).save(folder / f"2.{suffix}", exif=exif)
    data = read(tmp_path)
    assert data.shape == (3, 16, 24)
    np.testing.assert_allclose(data.x[1].numpy(), data.x[0].numpy(), atol=0.2)


def test_a_name_that_cannot_be_shown(root: Path) -> None:
    (root / "test" / "cat" / "a\nb.png").write_bytes(b"?")
    assert "holds a file named 'a\\nb.png', whose name cannot be shown; rename it" in complaint(root)


@pytest.mark.parametrize("name", ["~nobody-of-this-name/x", "x" * 300, "a\0b"])
def test_paths_that_cannot_be(name: str) -> None:
    assert complaint(Path(name))


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
