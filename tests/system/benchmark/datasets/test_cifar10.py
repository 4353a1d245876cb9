"""CIFAR-10: records written here, in files and in an archive; damaged, incomplete, absent."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from xaiboard.benchmark.datasets import cifar10
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.toolkit.data import Data

TEST = "test_batch.bin"
TRAIN = [f"data_batch_{number}.bin" for number in (1, 2, 3, 4, 5)]
INSIDE = "cifar-10-batches-bin"


def batch(labels: list[int], seed: int = 0) -> bytes:
    """Records as the data set's page has them: the label, 1,024 bytes of red, of green and of blue."""
    rng = np.random.Generator(np.random.Philox(seed))
    return b"".join(bytes([label]) + rng.integers(0, 256, 3072, dtype=np.uint8).tobytes() for label in labels)


def archive(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def check(read: Data, content: bytes, labels: list[int]) -> None:
    assert read.shape == (3, 32, 32)
    assert read.label.tolist() == labels
    for row, channel, i, j in ((0, 0, 0, 0), (1, 2, 31, 31), (1, 1, 7, 20)):
        byte = content[3073 * row + 1 + 1024 * channel + 32 * i + j]
        assert read.x[row, channel, i, j].item() == pytest.approx(byte / 255)


def complaint(split: str = "test") -> str:
    with pytest.raises(XaiboardError) as caught:
        load_data("cifar10", split=split)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("inside", [INSIDE, "."])
def test_files(data: Path, inside: str) -> None:
    folder = data / "cifar10" / inside
    folder.mkdir(parents=True)
    (folder / TEST).write_bytes(batch([3, 9]))
    check(load_data("cifar10"), batch([3, 9]), [3, 9])


def test_the_training_batches_follow_each_other(data: Path) -> None:
    folder = data / "cifar10"
    folder.mkdir()
    for number, name in enumerate(TRAIN):
        (folder / name).write_bytes(batch([number, number + 1], seed=number))
    train = load_data("cifar10", split="train")
    assert train.label.tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    check(train[8:], batch([4, 5], seed=4), [4, 5])


def test_archive(data: Path) -> None:
    members = {f"{INSIDE}/{name}": batch([number, 0], number) for number, name in enumerate([*TRAIN, TEST])}
    archive(data / "cifar10" / cifar10.ARCHIVE, {f"{INSIDE}/readme.html": b"", **members})
    check(load_data("cifar10"), batch([5, 0], 5), [5, 0])
    assert load_data("cifar10", split="train").label.tolist() == [0, 0, 1, 0, 2, 0, 3, 0, 4, 0]


def test_a_member_that_points_outside_is_not_written(data: Path) -> None:
    archive(data / "cifar10" / cifar10.ARCHIVE, {f"../../{TEST}": batch([1, 2]), "../../evil": b"!"})
    before = sorted(data.parent.rglob("*"))
    check(load_data("cifar10"), batch([1, 2]), [1, 2])
    assert sorted(data.parent.rglob("*")) == before


@pytest.mark.parametrize("content", [b"", batch([1])[:-1], batch([1]) + b"\0"])
def test_bytes_that_are_no_whole_records(data: Path, content: bytes) -> None:
    (data / "cifar10").mkdir()
    (data / "cifar10" / TEST).write_bytes(content)
    assert f"{TEST}' has {len(content)} bytes, expected a multiple of 3073" in complaint()


def test_a_file_that_may_not_be_read(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "cifar10").mkdir()
    (data / "cifar10" / TEST).write_bytes(batch([1]))

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert f"{TEST}' cannot be read (Permission denied)" in complaint()


def test_a_label_that_is_no_class(data: Path) -> None:
    (data / "cifar10").mkdir()
    (data / "cifar10" / TEST).write_bytes(batch([1, 10]))
    assert "has the label 10, expected 0 to 9" in complaint()


def test_a_batch_missing_among_others(data: Path) -> None:
    (data / "cifar10").mkdir()
    for name in TRAIN[:4]:
        (data / "cifar10" / name).write_bytes(batch([1]))
    assert f"has '{TRAIN[0]}' but not '{INSIDE}/{TRAIN[4]}' or '{TRAIN[4]}'" in complaint("train")


def test_a_batch_missing_in_the_archive(data: Path) -> None:
    archive(data / "cifar10" / cifar10.ARCHIVE, {f"{INSIDE}/{TEST}": batch([1])})
    assert f"{cifar10.ARCHIVE}' does not contain '{TRAIN[0]}'" in complaint("train")


@pytest.mark.parametrize("keep", [0, 1000])
def test_an_archive_cut_short(data: Path, keep: int) -> None:
    path = data / "cifar10" / cifar10.ARCHIVE
    archive(path, {f"{INSIDE}/{TEST}": batch([1, 2])})
    path.write_bytes(path.read_bytes()[:keep])
    assert f"{cifar10.ARCHIVE}' cannot be read" in complaint()


@pytest.mark.usefixtures("data")
def test_absent_and_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert f"cifar10 needs {cifar10.ARCHIVE}, which is neither in" in complaint()


@pytest.mark.usefixtures("data")
def test_a_download_with_another_checksum(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, url = served
    archive(folder / "x.tar.gz", {f"{INSIDE}/{TEST}": batch([1, 2])})
    monkeypatch.setattr(cifar10, "URL", f"{url}x.tar.gz")
    assert f"x.tar.gz does not have the official MD5 sum {cifar10.MD5}" in complaint()


def test_no_more_is_unpacked_than_is_allowed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive(data / "cifar10" / cifar10.ARCHIVE, {f"{INSIDE}/{TEST}": batch([3, 9])})
    monkeypatch.setenv("XAIBOARD_DATA_BYTES", "6146")
    assert len(load_data("cifar10")) == 2
    monkeypatch.setenv("XAIBOARD_DATA_BYTES", "6145")
    with pytest.raises(XaiboardError, match="it unpacks to 6146 bytes, and XAIBOARD_DATA_BYTES allows 6145"):
        load_data("cifar10")
