"""Maps of several runs in one folder: what stands beside what, and what replaces what."""

from __future__ import annotations

from typing import Any

import numpy as np
from xaiboard.benchmark.store.kept import Kept
from xaiboard.benchmark.store.small_maps import small_map


def kept(*samples: int, method: str = "saliency", identity: str = "a", value: float = 1.0) -> Kept:
    name = {"dataset": "digits", "model": "net", "method": method, "identity": identity}
    row = small_map(np.full((1, 1, 1), value))
    images: dict[str, Any] = {"dataset": "digits", "channels": 1, "height": 1, "width": 1, "pixels": b"0"}
    return Kept.of(
        [{**name, "sample": sample, **row} for sample in samples],
        [{**images, "sample": sample} for sample in samples],
    )


def scales(found: Kept) -> dict[tuple[str, int], float]:
    return {(row["method"], row["sample"]): row["scale"] for row in found.maps.to_dict("records")}


def test_maps_of_one_identity_complete_each_other() -> None:
    found = kept(1, 2, value=3.0).beside(kept(0, 1)).beside(kept(5, method="sobel"))
    assert scales(found) == {("saliency", 0): 1, ("saliency", 1): 3, ("saliency", 2): 3, ("sobel", 5): 1}
    assert sorted(found.images["sample"]) == [0, 1, 2, 5]


def test_maps_of_another_identity_are_replaced_whole() -> None:
    found = kept(1, identity="b", value=3.0).beside(kept(0, 1))
    assert scales(found) == {("saliency", 1): 3}


def test_no_maps_beside_some_are_these() -> None:
    assert scales(Kept.of().beside(kept(0))) == scales(kept(0).beside(Kept.of())) == {("saliency", 0): 1}
    assert not len(Kept.of().beside(Kept.of()).maps)
