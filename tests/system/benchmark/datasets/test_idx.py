"""MNIST and Fashion-MNIST: files written here and read back, damaged, absent, downloaded; the real ones."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from xaiboard.benchmark.datasets import fashion_mnist, mnist
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.toolkit.data import Data

IMAGES = "t10k-images-idx3-ubyte"
LABELS = "t10k-labels-idx1-ubyte"
NOWHERE = "http://127.0.0.1:9/"


def idx(array: np.ndarray) -> bytes:
    """The bytes of an IDX file, as its specification has them."""
    sizes = b"".join(struct.pack(">I", size) for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


PIXELS = np.random.Generator(np.random.Philox(1)).integers(0, 256, (7, 5, 4))
LABEL = np.array([0, 9, 3, 3, 1, 2, 8])


def write(
    folder: Path, *, images: bytes = idx(PIXELS), labels: bytes = idx(LABEL), zipped: bool = True
) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in ((IMAGES, images), (LABELS, labels)):
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


def check(read: Data) -> None:
    np.testing.assert_allclose(read.x.numpy(), PIXELS[:, None] / 255, rtol=1e-6)
    assert read.x.dtype == torch.float32
    assert read.label.tolist() == LABEL.tolist()
    assert read.label.dtype == torch.int64


def complaint(name: str = "mnist") -> str:
    """The sentence that reading the test split ends with."""
    with pytest.raises(XaiboardError) as caught:
        load_data(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_what_was_written_is_read(data: Path, name: str, zipped: bool) -> None:
    write(data / name, zipped=zipped)
    check(load_data(name))


def test_a_file_cut_short(data: Path) -> None:
    write(data / "mnist")
    file = data / "mnist" / f"{IMAGES}.gz"
    file.write_bytes(file.read_bytes()[:-20])
    assert f"'{file}' cannot be read" in complaint()
    assert "replace the file" in complaint()


def test_a_file_that_is_not_gzip(data: Path) -> None:
    write(data / "mnist")
    (data / "mnist" / f"{LABELS}.gz").write_bytes(b"<html>not found</html>")
    assert f"{LABELS}.gz' cannot be read (Not a gzipped file" in complaint()


@pytest.mark.parametrize("damage", [b"\0\0\x0d\x03", b"\0\0\x08\x01", b"\x89PNG"])
def test_another_magic_number(data: Path, damage: bytes) -> None:
    write(data / "mnist", images=damage + idx(PIXELS)[4:])
    assert f"starts with the bytes '{damage.hex(' ')}', expected '00 00 08 03'" in complaint()


@pytest.mark.parametrize("content", [b"", b"\0\0", b"\0\0\x08\x03\0\0"])
def test_a_file_shorter_than_its_header(data: Path, content: bytes) -> None:
    write(data / "mnist", images=content, zipped=False)
    assert f"{IMAGES}' starts with the bytes '{content[:4].hex(' ')}'" in complaint()


@pytest.mark.parametrize("content", [idx(PIXELS)[:-1], idx(PIXELS) + b"\0"])
def test_more_or_fewer_bytes_than_announced(data: Path, content: bytes) -> None:
    write(data / "mnist", images=content)
    assert f"announces 7 x 5 x 4 bytes of data and has {len(content) - 16}" in complaint()


def test_sizes_whose_product_would_overflow(data: Path) -> None:
    write(data / "mnist", images=b"\0\0\x08\x03" + b"\xff" * 12 + b"\0")
    assert "announces 4294967295 x 4294967295 x 4294967295 bytes of data and has 1" in complaint()


def test_more_images_than_labels(data: Path) -> None:
    write(data / "mnist", labels=idx(LABEL[:-1]))
    assert f"{IMAGES}.gz' has 7 images and '{LABELS}.gz' has 6 labels" in complaint()


def test_a_label_that_is_no_class(data: Path) -> None:
    write(data / "mnist", labels=idx(np.where(LABEL == 9, 10, LABEL)))
    assert f"{LABELS}.gz' has the label 10, expected 0 to 9" in complaint()


def test_no_images(data: Path) -> None:
    write(data / "mnist", images=idx(PIXELS[:0]), labels=idx(LABEL[:0]))
    assert "holds no images" in complaint()


def test_images_without_their_labels_are_not_completed_by_a_download(data: Path) -> None:
    write(data / "mnist")
    (data / "mnist" / f"{LABELS}.gz").unlink()
    assert f"has '{IMAGES}.gz' but not '{LABELS}.gz' or '{LABELS}'" in complaint()


@pytest.mark.parametrize("known", [True, False])
def test_absent_and_offline(data: Path, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    monkeypatch.setattr(mnist, "URL", NOWHERE)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    if not known:
        monkeypatch.delenv("XAIBOARD_DATA")
    start = time.monotonic()
    said = complaint()
    assert time.monotonic() - start < 10
    looked = f"'{data / 'mnist'}' (XAIBOARD_DATA)" if known else "XAIBOARD_DATA (not set)"
    cache = data.parent / "cache" / "xaiboard" / "mnist"
    assert said.startswith(f"mnist needs {IMAGES}.gz, which is neither in {looked} nor in '{cache}'")
    assert f"downloading {NOWHERE}{IMAGES}.gz failed (ConnectionError)" in said
    assert said.endswith("put the file into 'mnist/' of a directory that XAIBOARD_DATA names")


@pytest.mark.usefixtures("data")
def test_a_download_is_checked_and_kept(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, url = served
    write(folder)
    sums = {
        name: hashlib.md5((folder / f"{name}.gz").read_bytes(), usedforsecurity=False).hexdigest()
        for name in (IMAGES, LABELS)
    }
    monkeypatch.setattr(fashion_mnist, "URL", url)
    monkeypatch.setattr(fashion_mnist, "MD5", sums)
    check(load_data("fashion-mnist"))
    monkeypatch.setattr(fashion_mnist, "URL", NOWHERE)
    check(load_data("fashion-mnist"))  # from the cache


@pytest.mark.usefixtures("data")
def test_a_download_with_another_checksum(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, url = served
    write(folder)
    monkeypatch.setattr(mnist, "URL", url)
    said = complaint()
    assert said.startswith(f"{url}{IMAGES}.gz does not have the official MD5 sum {mnist.MD5[IMAGES]}")


@pytest.mark.usefixtures("data")
def test_a_server_without_the_file(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "URL", served[1])
    assert "failed (HTTPError)" in complaint()


def test_the_real_fashion_mnist() -> None:
    folder = Path(os.environ.get("XAIBOARD_DATA", "")) / "fashion-mnist"
    if not folder.is_dir() or "XAIBOARD_DATA" not in os.environ:
        pytest.skip("needs Fashion-MNIST in the directory XAIBOARD_DATA")
    train = load_data("fashion-mnist", split="train")
    assert train.x.shape == (60000, 1, 28, 28)
    assert abs(train.x.mean() - 0.2860) < 5e-5
    assert abs(train.x.std() - 0.3530) < 5e-5
    assert train.label.bincount().tolist() == [6000] * 10
    test = load_data("fashion-mnist")
    assert test.x.shape == (10000, 1, 28, 28)
    assert test.label.bincount().tolist() == [1000] * 10


def test_no_more_is_unpacked_than_is_announced_and_allowed(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 MB of zeros behind a header that announces 140 bytes, then a limit below those."""
    write(data / "mnist", images=idx(PIXELS) + bytes(100_000_000))
    tracemalloc.start()
    assert "announces 7 x 5 x 4 bytes of data and has 141 or more" in complaint()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22
    write(data / "mnist", images=idx(PIXELS))
    monkeypatch.setenv("XAIBOARD_DATA_BYTES", "139")
    assert "it unpacks to 140 bytes, and XAIBOARD_DATA_BYTES allows 139" in complaint()
