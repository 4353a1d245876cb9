"""Images as a network wants them: sizes and places in closed form, on images whose pixels say where they are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from xaiboard.benchmark.toolkit.preprocessing import Preprocessing

NO_CHANGE = {"mean": (0.0,), "std": (1.0,), "interpolation": "nearest"}


def columns(rows: int, width: int) -> Image.Image:
    """A grey image whose pixels have the number of their column."""
    return Image.fromarray(np.tile(np.arange(width, dtype=np.uint8), (rows, 1)))


def test_the_shorter_side_is_resized_and_the_centre_cut_out() -> None:
    """100 x 200 pixels at 50 for the shorter side are 50 x 100, of which columns 30 to 69 are the middle 40."""
    seen = np.asarray(Preprocessing((20, 40), 50, **NO_CHANGE).prepared(columns(100, 200)))
    assert seen.shape == (20, 40)
    assert np.array_equal(seen[0] // 2, np.arange(30, 70))


def test_two_numbers_resize_whatever_the_ratio_of_the_sides() -> None:
    seen = np.asarray(Preprocessing((10, 20), (10, 20), **NO_CHANGE).prepared(columns(100, 200)))
    assert seen.shape == (10, 20)
    assert np.array_equal(seen[0] // 10, np.arange(20))


@pytest.mark.parametrize("shape", [(30, 47), (47, 30), (30, 30)])
def test_an_image_of_the_resized_size_keeps_its_pixels(shape: tuple[int, int]) -> None:
    image = columns(*shape)
    seen = np.asarray(Preprocessing((30, 30), 30, **NO_CHANGE).prepared(image))
    left = round((shape[1] - 30) / 2)
    top = round((shape[0] - 30) / 2)
    assert np.array_equal(seen, np.asarray(image)[top : top + 30, left : left + 30])
