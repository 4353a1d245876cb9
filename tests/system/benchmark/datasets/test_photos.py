"""Photographs: counts, sizes and labels of both splits."""

from __future__ import annotations

from xaiboard.benchmark.subjects.datasets import load_data


def test_photographs_need_no_download() -> None:
    """Both splits have crops of both photographs; labels are classes of ImageNet, or number the photographs."""
    test, train = load_data("photos"), load_data("photos[side=32,classes=photographs]", split="train")
    assert test.x.shape == (12, 3, 224, 224)
    assert train.x.shape == (12, 3, 32, 32)
    assert train.label.tolist() == [0] * 6 + [1] * 6
    assert len(test.classes) == 1000
    assert [test.classes[each] for each in test.label.tolist()] == ["monastery"] * 6 + ["daisy"] * 6
    assert load_data("photos").digest == test.digest
