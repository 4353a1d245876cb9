"""Loading data by name: splits, samples, digests, reference statistics."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from xaiboard.benchmark.components.registry import datasets
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.subjects.reference import load_reference


def test_the_built_in_sets_are_registered() -> None:
    assert {
        "digits",
        "digits-0-8",
        "block-digits",
        "fashion-mnist",
        "mnist",
        "cifar10",
        "image-folder",
    } <= set(datasets)
    for name in datasets:
        assert datasets[name].summary
        assert datasets[name].source


def test_few_samples_are_among_many_and_in_the_order_of_the_split() -> None:
    whole, many, few = load_data("digits"), load_data("digits", samples=100), load_data("digits", samples=10)
    assert (len(many), len(few)) == (100, 10)
    assert set(few.ids) < set(many.ids) < set(whole.ids)
    for part in (many, few):
        assert list(part.ids) == sorted(part.ids)
        assert torch.equal(part.x, whole.x[list(part.ids)])
        assert torch.equal(part.label, whole.label[list(part.ids)])


def test_the_masks_go_with_the_samples() -> None:
    whole, few = load_data("block-digits"), load_data("block-digits", samples=10)
    assert whole.mask is not None
    assert few.mask is not None
    assert torch.equal(few.mask, whole.mask[list(few.ids)])


def test_all_samples_by_number_are_the_split() -> None:
    assert load_data("digits", samples=449).digest == load_data("digits").digest


@pytest.mark.parametrize(
    ("name", "samples", "said"),
    [
        ("digits", 0, "the number of samples must be at least 1; got 0"),
        ("digits", -3, "the number of samples must be at least 1; got -3"),
        ("digits", 450, "digits has 449 test samples; got 450; ask for at most 449"),
        ("digit", 1, "no dataset named 'digit'; did you mean 'digits'?"),
        ("image-folder", 1, "data set 'image-folder' needs a path: --dataset image-folder:PATH"),
        ("image-folder:", 1, "data set 'image-folder' needs a path: --dataset image-folder:PATH"),
        ("digits:here", 1, "data set 'digits' takes no path; got 'digits:here'"),
    ],
)
def test_mistakes_are_told_in_a_sentence(name: str, samples: int, said: str) -> None:
    with pytest.raises(XaiboardError) as caught:
        load_data(name, samples=samples)
    assert str(caught.value) == said


def test_a_split_that_does_not_exist() -> None:
    with pytest.raises(XaiboardError, match="no split named 'valid'; there are: train, test"):
        load_data("digits", split="valid")


def test_the_digest_changes_with_a_pixel_a_label_a_mask_and_an_id() -> None:
    data = load_data("block-digits", samples=5)
    assert data.mask is not None
    x, label, mask = data.x.clone(), data.label.clone(), data.mask.clone()
    x[2, 0, 3, 4] += 1e-6
    label[0] += 1
    mask[4, 0, 0, 0] ^= True
    others = [
        replace(data, x=x),
        replace(data, label=label),
        replace(data, mask=mask),
        replace(data, mask=None),
        replace(data, ids=(*data.ids[:-1], 448)),
        data[:4],
        data[[1, 0, 2, 3, 4]],
    ]
    assert len({data.digest, *(other.digest for other in others)}) == 1 + len(others)
    assert replace(data, x=data.x.clone()).digest == data.digest


def test_the_reference_is_of_the_training_split() -> None:
    reference, train = load_reference("digits"), load_data("digits", split="train")
    torch.testing.assert_close(reference.mean, train.x.mean(0))
    assert reference.samples.shape == (64, 1, 28, 28)
    seen = {image.numpy().tobytes() for image in train.x}
    assert all(image.numpy().tobytes() in seen for image in reference.samples)
