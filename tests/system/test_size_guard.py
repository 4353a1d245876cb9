"""The guard of the repository's size: figures, tables and other files have their limits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GUARD = Path(__file__).parents[2] / ".ci" / "size_guard.py"


@pytest.mark.parametrize(
    ("name", "size", "fits"),
    [
        ("results/quick/curves.png", 300_000, True),
        ("results/quick/curves.png", 300_001, False),
        ("results/lens/scores.parquet", 20_000_000, True),
        ("results/lens/scores.parquet", 20_000_001, False),
        ("models/weights/mlp.safetensors", 2 * 2**20, True),
        ("tests/data.bin", 2**20, True),
        ("tests/data.bin", 2**20 + 1, False),
    ],
)
def test_limits(name: str, size: int, fits: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(size)
    finished = subprocess.run(
        [sys.executable, str(GUARD), name, "absent.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == (0 if fits else 1)
    assert (name in finished.stdout) is not fits
