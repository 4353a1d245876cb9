"""Kept maps are what they were made of, to the precision and size that is promised."""

from __future__ import annotations

import numpy as np
import pytest
from xaiboard.benchmark.store.maps import image_of, map_of
from xaiboard.benchmark.store.small_maps import shrink, small_image, small_map

NOISE = np.random.default_rng(0)


def test_a_map_is_the_signed_sum_over_channels() -> None:
    attribution = NOISE.normal(size=(3, 5, 7)).astype(np.float32) * 1e-6
    total = attribution.sum(0)
    kept = map_of(small_map(attribution))
    assert kept.shape == (5, 7) and kept.dtype == np.float32
    np.testing.assert_allclose(kept, total, atol=np.abs(total).max() / 254 * 1.001)
    assert np.abs(kept).max() == pytest.approx(np.abs(total).max())


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5e37, 1e-45])
def test_constant_maps_keep_their_value(value: float) -> None:
    kept = map_of(small_map(np.full((1, 2, 2), value, np.float32)))
    np.testing.assert_allclose(kept, np.float32(value), rtol=1e-6)


def test_vectors_keep_every_feature() -> None:
    features = NOISE.normal(size=300)
    kept = map_of(small_map(features))
    assert kept.shape == (1, 300)
    np.testing.assert_allclose(kept[0], features, atol=np.abs(features).max() / 250)
    assert image_of(small_image(np.linspace(0, 1, 300, dtype=np.float32))).shape == (1, 1, 300)


def test_images_are_exact_to_half_a_step() -> None:
    x = NOISE.random((3, 4, 6), dtype=np.float32)
    kept = image_of(small_image(x))
    assert kept.shape == (3, 4, 6)
    np.testing.assert_allclose(kept, x, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize(
    ("sides", "small"), [((224, 112), (112, 56)), ((227, 100), (112, 49)), ((3, 900), (1, 112))]
)
def test_large_maps_are_means_of_blocks(sides: tuple[int, int], small: tuple[int, int]) -> None:
    values = NOISE.normal(size=(2, *sides))
    found = shrink(values)
    assert found.shape == (2, *small)
    rows, columns = (
        [slice(block * side // blocks, (block + 1) * side // blocks) for block in range(blocks)]
        for side, blocks in zip(sides, small, strict=True)
    )
    for i in (0, small[0] // 2, small[0] - 1):
        for j in (0, small[1] // 2, small[1] - 1):
            np.testing.assert_allclose(found[:, i, j], values[:, rows[i], columns[j]].mean((1, 2)))
