"""Arrays in a NumPy file, and everything that can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.subjects.reference import load_reference

X = np.arange(24, dtype=np.uint8).reshape(4, 1, 2, 3) * 10
Y = np.array([0, 2, 1, 0])


def test_bytes_and_numbers_are_the_same_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "bytes.npz", x=X, y=Y)
    np.savez_compressed(
        tmp_path / "numbers.npz",
        x=X / 255,
        y=Y.astype(np.uint8),
        names=np.array(["a", "b", "c"]),
        other=np.zeros(3),
    )
    one, other = (load_data(f"npz:{tmp_path / name}.npz") for name in ("bytes", "numbers"))
    assert one.digest == other.digest
    assert torch.equal(one.x, torch.from_numpy(X).float() / 255)
    assert list(one.classes) == ["0", "1", "2"]
    assert list(other.classes) == ["a", "b", "c"]


def test_vectors_and_their_training_split(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", x=np.eye(3), y=[0, 1, 1], x_train=np.ones((2, 3)), y_train=[3, 1])
    assert load_data(f"npz:{tmp_path}/v.npz").x.shape == (3, 3)
    assert len(load_data(f"npz:{tmp_path}/v.npz").classes) == 4
    assert load_reference(f"npz:{tmp_path}/v.npz").mean.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": X}, "has no array 'y', expected x and y for the test split"),
        ({"x": X, "y": Y[:3]}, r"'y' in .* is int64 \(3,\), expected a whole number for each of 4 samples"),
        ({"x": X, "y": Y / 2}, "'y' in .* is float64"),
        ({"x": X[0], "y": Y}, r"'x' in .* is uint8 \(1, 2, 3\), expected numbers in \[0, 1\] or bytes"),
        ({"x": X.astype(int), "y": Y}, "'x' in .* is int64"),
        ({"x": X / 100, "y": Y}, r"images must be in \[0, 1\]; got 0 to 2.3"),
        ({"x": X / np.where(X == 10, np.nan, 255), "y": Y}, r"images must be in \[0, 1\]; got nan"),
        ({"x": X, "y": Y - 1}, "labels must be from 0 to 1"),
        ({"x": X, "y": Y, "names": np.array(["a"])}, "labels must be from 0 to 0"),
        (
            {"x": X, "y": Y, "names": np.arange(3)},
            r"'names' in .* is int64 \(3,\), expected a text for each class",
        ),
        ({"x": X[:0], "y": Y[:0]}, "at least one"),
        ({"x": np.array([{}, {}]), "y": Y[:2]}, "cannot be read .*allow_pickle=False"),
    ],
)
def test_arrays_that_are_no_data(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)  # pyright: ignore[reportArgumentType] - no option is meant
    with pytest.raises(XaiboardError, match=said):
        load_data(f"npz:{tmp_path}/a.npz")


def test_files_that_are_no_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.npz").write_bytes(b"hello")
    for name, said in (
        ("a", "cannot be read .File is not a zip file"),
        ("b", "cannot be read .*No such file"),
    ):
        with pytest.raises(XaiboardError, match=said):
            load_data(f"npz:{tmp_path}/{name}.npz")
    np.savez_compressed(tmp_path / "large.npz", x=np.zeros((1, 1000), dtype=np.uint8), y=[0])
    monkeypatch.setenv("XAIBOARD_DATA_BYTES", "1000")
    with pytest.raises(XaiboardError, match="XAIBOARD_DATA_BYTES allows 1000"):
        load_data(f"npz:{tmp_path}/large.npz")
