"""Data sets of Hugging Face, in a folder and in the library's cache; importing the library takes a second."""

from __future__ import annotations

from pathlib import Path

import datasets
import datasets.config
import numpy as np
import pytest
from datasets.arrow_writer import ArrowWriter
from datasets.splits import SplitDict, SplitInfo
from PIL import Image
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.datasets import load_data

RNG = np.random.Generator(np.random.Philox(3))
PIXELS = RNG.integers(0, 256, (4, 8, 9, 3), dtype=np.uint8)
FEATURES = datasets.Features(
    {
        "picture": datasets.Image(),
        "name": datasets.Value("string"),
        "kind": datasets.ClassLabel(names=["cat", "dog"]),
    }
)


@pytest.fixture(scope="module")
def rows() -> datasets.Dataset:
    columns = {
        "picture": [Image.fromarray(each) for each in PIXELS],
        "name": ["a", "b", "c", "d"],
        "kind": [1, 0, 0, 1],
    }
    return datasets.Dataset.from_dict(columns, features=FEATURES)


def test_a_folder_that_was_saved(rows: datasets.Dataset, tmp_path: Path) -> None:
    datasets.DatasetDict({"validation": rows}).save_to_disk(tmp_path)
    data = load_data(f"hf-dataset:{tmp_path}")
    np.testing.assert_array_equal((data.x * 255).round().byte().permute(0, 2, 3, 1).numpy(), PIXELS)
    assert (list(data.classes), data.label.tolist()) == (["cat", "dog"], [1, 0, 0, 1])
    assert load_data(f"hf-dataset:{tmp_path}[side=4]", samples=2).x.shape == (2, 3, 4, 4)
    with pytest.raises(XaiboardError, match="has no split 'train'; it has: validation"):
        load_data(f"hf-dataset:{tmp_path}", split="train")


def test_columns_that_are_no_images_with_labels(rows: datasets.Dataset, tmp_path: Path) -> None:
    rows.select_columns(["picture", "name"]).save_to_disk(tmp_path / "unlabelled")
    with pytest.raises(
        XaiboardError, match=r"4 rows with the columns picture \(Image\), name \(Value\), expected"
    ):
        load_data(f"hf-dataset:{tmp_path}/unlabelled")
    outside = rows.map(lambda _: {"picture": {"path": __file__, "bytes": None}}, features=FEATURES)
    outside.save_to_disk(tmp_path / "outside")
    with pytest.raises(XaiboardError, match=r"'row 0' .* cannot be read"):
        load_data(f"hf-dataset:{tmp_path}/outside")
    for lacking, said in (
        ("picture", "'row 0' .* cannot be read .the row has no image"),
        ("kind", "no label in row 0"),
    ):
        holes = rows.map(lambda _, lacking=lacking: {lacking: None}, features=FEATURES)
        holes.save_to_disk(tmp_path / lacking)
        with pytest.raises(XaiboardError, match=said):
            load_data(f"hf-dataset:{tmp_path}/{lacking}")


def test_the_cache_is_read_and_the_hub_is_not_asked(
    rows: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache as the library writes it after a download."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path))
    folder = tmp_path / "tester___pets" / "default" / "0.0.0" / "abc"
    folder.mkdir(parents=True)
    writer = ArrowWriter(features=FEATURES, path=str(folder / "pets-test.arrow"))
    writer.write_table(rows.data.table.combine_chunks())
    count, size = writer.finalize()
    split = SplitInfo(name="test", num_bytes=size, num_examples=count)
    info = datasets.DatasetInfo(features=FEATURES, splits=SplitDict({"test": split}, dataset_name="pets"))
    info.dataset_name, info.builder_name, info.config_name, info.version = (
        "pets",
        "parquet",
        "default",
        "0.0.0",
    )
    info.write_to_directory(str(folder))
    assert load_data("hf-dataset:tester/pets").label.tolist() == [1, 0, 0, 1]
    assert not datasets.config.HF_HUB_OFFLINE
    with pytest.raises(
        XaiboardError, match="'tester/no' is neither a folder that datasets saved nor in its cache"
    ):
        load_data("hf-dataset:tester/no")
