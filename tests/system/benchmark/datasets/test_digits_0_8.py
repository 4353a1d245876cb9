"""Digits 0 and 8: which images, in which order, under which labels."""

import pytest
import torch
from xaiboard.benchmark.subjects.datasets import load_data


@pytest.mark.parametrize(("split", "zeros", "eights"), [("train", 135, 130), ("test", 43, 44)])
def test_the_images_are_the_zeros_and_eights_of_digits_in_order(split: str, zeros: int, eights: int) -> None:
    data, digits = load_data("digits-0-8", split=split), load_data("digits", split=split)
    expected = [(x, int(label)) for x, label in zip(digits.x, digits.label, strict=True) if label in (0, 8)]
    assert len(data) == len(expected)
    for x, label, (image, digit) in zip(data.x, data.label, expected, strict=True):
        assert torch.equal(x, image)
        assert data.classes[int(label)] == str(digit)
    assert data.label.bincount().tolist() == [zeros, eights]
    assert data.label.dtype == torch.int64
    assert data.mask is None


def test_a_sample_s_id_is_its_place_among_them() -> None:
    assert list(load_data("digits-0-8").ids) == list(range(87))


def test_an_edit_in_place_does_not_reach_the_next_caller() -> None:
    load_data("digits-0-8").x.zero_()
    assert load_data("digits-0-8").x.any()
