"""Digits: counts, split, range, and the resampling against a slow one."""

import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from xaiboard.benchmark.datasets.shared import digit_images
from xaiboard.benchmark.subjects.datasets import load_data


def test_split_sizes_types_and_range() -> None:
    train, test = load_data("digits", split="train"), load_data("digits")
    assert (len(train), len(test)) == (1348, 449)
    for data in (train, test):
        assert data.shape == (1, 28, 28)
        assert data.x.dtype == torch.float32
        assert data.label.dtype == torch.int64
        assert data.x.min() == 0
        assert data.x.max() == 1
        assert data.mask is None
        assert list(data.classes) == list("0123456789")
        assert set(data.label.tolist()) == set(range(10))


def test_every_fourth_image_is_for_testing() -> None:
    labels = load_digits(return_X_y=True)[1]
    assert load_data("digits").label.tolist() == list(labels[3::4])
    assert load_data("digits", split="train").label.tolist() == np.delete(labels, np.s_[3::4]).tolist()


def test_scikit_learn_is_not_imported_to_read_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a second; None stands for a module that cannot be imported."""
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    pixels, _ = digit_images._images.__wrapped__()
    assert len(pixels) == 1797
    assert len(load_data("photos[side=8]")) == 12
    assert len(load_data("breast-cancer")) == 142


def test_no_image_is_in_both_splits() -> None:
    train, test = load_data("digits", split="train"), load_data("digits")
    seen = {image.numpy().tobytes() for image in train.x}
    assert not seen & {image.numpy().tobytes() for image in test.x}


def _bilinear(small: np.ndarray, size: int) -> np.ndarray:
    """One image, pixel by pixel, from the definition: pixel centres at half integers, edges repeated."""
    rows, columns = small.shape
    large = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            y = min(max((i + 0.5) * rows / size - 0.5, 0), rows - 1)
            z = min(max((j + 0.5) * columns / size - 0.5, 0), columns - 1)
            for k in range(rows):
                for m in range(columns):
                    large[i, j] += small[k, m] * max(0, 1 - abs(y - k)) * max(0, 1 - abs(z - m))
    return large


def test_agrees_with_a_slow_resampling() -> None:
    pixels, _ = load_digits(return_X_y=True)
    small = np.asarray(pixels)[7].reshape(8, 8) / 16  # the second test image
    np.testing.assert_allclose(load_data("digits").x[1, 0].numpy(), _bilinear(small, 28), atol=1e-7)


def test_an_edit_in_place_does_not_reach_the_next_caller() -> None:
    first = load_data("digits")
    first.x.zero_()
    first.label.zero_()
    again = load_data("digits")
    assert again.x.any()
    assert again.label.any()


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("digits", "a01207120bae1abbd6c358aad27c05108844d7cadd8f1aea3133adb54024e680"),
        ("digits-0-8", "c90b4c85e077b6819fb8370796adf469e52cd37af457e97e9204b6939174dcf2"),
        ("block-digits", "445a45bec6d2af9e1e480f1a75b76bfb1a8d947ac9ee02bee39cb73812fb4117"),
    ],
)
def test_the_pixels_are_those_of_the_published_results(name: str, digest: str) -> None:
    """Shipped weights and tables are for these bits: whoever changes them makes another data set."""
    assert load_data(name).digest == digest
