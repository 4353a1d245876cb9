"""The gallery has a tile for each image, model and method that applies, and leaves the others empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xaiboard.benchmark as xb
from torch import nn
from xaiboard.benchmark.api import make_plan
from xaiboard.benchmark.pictures import gallery
from xaiboard.benchmark.request import read_request


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Figures that are saved."""
    figures: list[Any] = []
    monkeypatch.setattr(gallery, "save", lambda figure, path, **_: figures.append(figure))
    return figures


def shown(figure: Any) -> int:  # noqa: ANN401 - of matplotlib
    return sum(len(axis.images) for axis in figure.axes)


def texts(figure: Any) -> set[str]:  # noqa: ANN401 - of matplotlib
    return {text.get_text() for axis in figure.axes for text in axis.texts}


def test_tiles(selection: dict[str, Any], drawn: list[Any], tmp_path: Path) -> None:
    @xb.method(name="broken")
    def _broken(x: Any) -> Any:  # noqa: ANN401
        raise ValueError("no map")

    words = {**selection, "methods": "saliency,gradcam,broken", "metrics": "gini"}
    gallery.draw_gallery(make_plan(read_request(**words)), tmp_path / "gallery.png")
    (figure,) = drawn
    maps = 2 + 1  # saliency on both networks, Grad-CAM on the convolutional one
    assert shown(figure) == gallery.IMAGES * (2 + maps)
    assert texts(figure) == {"mlp", "cnn", "saliency", "gradcam", "broken"}


def test_maps_are_those_of_their_model(
    selection: dict[str, Any], drawn: list[Any], tmp_path: Path, mlp: nn.Sequential
) -> None:
    words = {**selection, "models": {"one": mlp}, "methods": "saliency", "metrics": "gini"}
    plan = make_plan(read_request(**words))
    gallery.draw_gallery(plan, tmp_path / "gallery.png")
    data = plan.data[: gallery.IMAGES]
    wanted = xb.explain(mlp, "saliency", data.x, mlp(data.x).argmax(1)).sum(1).numpy()
    tiles = [axis.images[0].get_array() for axis in drawn[0].axes if axis.images]
    for tile, image in zip(tiles[::2], data.x[:, 0].numpy(), strict=True):
        np.testing.assert_allclose(tile, image)
    for tile, values in zip(tiles[1::2], wanted, strict=True):
        np.testing.assert_allclose(tile, values, rtol=1e-5)


def test_a_run_that_explains_nothing_has_no_gallery(
    selection: dict[str, Any], drawn: list[Any], tmp_path: Path
) -> None:
    plan = make_plan(read_request(**{**selection, "metrics": "accuracy"}))
    gallery.draw_gallery(plan, tmp_path / "gallery.png")
    assert drawn == []
