"""Values of many samples are the same in memory, on the disk, or read anew, and leave nothing behind on the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.engine import model_values
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.held import OnDisk, ReadAnew, hold
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.subjects.datasets import open_data
from xaiboard.benchmark.subjects.trained_models import TrainedModel
from xaiboard.benchmark.toolkit.data import Data
from xaiboard.benchmark.toolkit.streamed_data import StreamedData

Runner = Callable[..., xb.Run]


def batches(values: Tensor, size: int) -> Iterator[Tensor]:
    return iter(values.split(size))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_rows_on_the_disk_are_the_rows(tmp_path: Path, dtype: torch.dtype) -> None:
    values = torch.randn(11, 3, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    values[0, 0, 0] = torch.nan
    found = OnDisk(tmp_path, batches(values, 4))
    assert len(found) == 11
    for rows in (slice(None), slice(0, 4), slice(4, 8), slice(3, 9), slice(10, 11), slice(8, 99), slice(2)):
        torch.testing.assert_close(found[rows], values[rows], rtol=0, atol=0, equal_nan=True)


def test_values_are_on_the_disk_where_there_is_no_room_and_a_folder(tmp_path: Path) -> None:
    values = torch.arange(30.0).view(10, 3)
    for room, folder in ((120, tmp_path), (119, None)):
        assert isinstance(hold(batches(values, 4), 10, room, folder), Tensor)
    found = hold(batches(values, 4), 10, 119, tmp_path)
    assert isinstance(found, OnDisk)
    assert torch.equal(found[:], values)
    assert not list(tmp_path.iterdir())  # the file has no name: killing the process leaves nothing behind


def test_a_file_is_closed_with_its_values(tmp_path: Path) -> None:
    found = OnDisk(tmp_path, batches(torch.zeros(3, 2), 2))
    file = found._file
    del found
    assert file.closed


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(xb.XaiboardError, match=r"cannot write to '.*gone': .*; free space or give another"):
        OnDisk(tmp_path / "gone", batches(torch.zeros(3, 2), 2))


class Counted:
    """Images that count how often each is read."""

    fixed = True

    def __init__(self, x: Tensor) -> None:
        self.x, self.read_so_far = x, [0] * len(x)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.x.shape[1:])

    def read(self, rows: Sequence[int]) -> Tensor:
        for row in rows:
            self.read_so_far[row] += 1
        return self.x[list(rows)]

    def prepared(self, preparation: object) -> Counted:
        return self


@pytest.fixture
def files() -> Counted:
    """The images of a data set whose images are in files."""
    images = Counted(torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0)))

    @xb.dataset(name="files")
    def _files(split: str) -> Data:
        del split
        return StreamedData(images, torch.arange(12) % 4, ["a", "b", "c", "d"])

    return images


@pytest.mark.parametrize(
    ("room", "once", "kind"), [(2**25, 2**27, Tensor), (0, 2**27, OnDisk), (0, 12 * 256 - 1, ReadAnew)]
)
def test_images_in_files_are_read_once_unless_there_are_more_than_of_a_shard(
    room: int,
    once: int,
    kind: type,
    files: Counted,
    mlp: nn.Module,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_values, "ROOM", room)
    monkeypatch.setattr(model_values, "READ_ONCE", once)
    data, model = open_data("files"), TrainedModel("model", "own", mlp, "")
    values = Values(model, data, None, Conditions(), Batcher(5, "cpu"), folder=tmp_path)
    assert isinstance(values.images, kind)
    for rows in (slice(0, 5), slice(0, 5), slice(3, 12)):
        assert torch.equal(values.images[rows], files.x[rows])
    assert files.read_so_far == ([1] * 12 if kind is not ReadAnew else [2] * 3 + [3] * 2 + [1] * 7)


class Darkening(nn.Module):
    """Changes its input in place."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mul_(0.5).flatten(1)[:, :4]


def test_a_network_that_changes_its_images_changes_no_data() -> None:
    """The images of a run are not copied for a shard."""
    data = Data(torch.rand(6, 1, 2, 2), torch.zeros(6, dtype=torch.int64), ["a", "b", "c", "d"])
    before = data.x.clone()
    values = Values(
        TrainedModel("model", "own", Darkening(), ""),
        data.part(slice(2, 5)),
        None,
        Conditions(),
        Batcher(2, "cpu"),
    )
    assert torch.equal(values.logits, before[2:5].flatten(1) / 2)
    assert torch.equal(data.x, before)


def test_tables_are_the_same_wherever_maps_and_images_are(
    run: Runner, mlp: nn.Module, files: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selected = {
        "dataset": "files",
        "models": {"mlp": mlp},
        "methods": "saliency,blurred[of=saliency]",
        "metrics": "lens_recall[k=9],agreement,gradient_norm",
        "perturbations": "sign_noise,topk_attack[steps=1,k=9]",
        "batch_size": 5,
        "keep": 7,
    }
    memory = run(out=tmp_path / "memory", **selected)
    monkeypatch.setattr(model_values, "ROOM", 0)
    monkeypatch.setattr(model_values, "READ_ONCE", 0)
    disk = run(out=tmp_path / "disk", **selected)
    assert (disk.cells["status"] == "ok").all()
    pd.testing.assert_frame_equal(memory.scores, disk.scores)
    names = sorted(path.name for path in disk.folder.iterdir())
    assert names == sorted(path.name for path in memory.folder.iterdir())
    for name in ("maps.parquet", "images.parquet"):
        assert (memory.folder / name).read_bytes() == (disk.folder / name).read_bytes()
