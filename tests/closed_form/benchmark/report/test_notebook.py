"""What a notebook shows of a run: a short leaderboard that is inert, and figures."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest
import xaiboard.benchmark as xb
from matplotlib import image
from matplotlib.figure import Figure

HOSTILE = "<script>alert(1)</script>"

Runner = Callable[..., xb.Run]


class Tags(HTMLParser):
    """Collects the tags and attributes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[object] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def test_a_notebook_shows_the_leaderboard_and_nothing_that_acts(run: Runner, cnn: object) -> None:
    """Neither digests nor the markup of a hostile name."""
    finished = run(models={HOSTILE: cnn}, methods="saliency,random", metrics="gini,deletion[steps=4,patch=2]")
    shown = finished._repr_html_()
    found = Tags(shown)
    assert found.tags == {"p", "b", "table", "tr", "th", "td"}
    assert not found.attributes
    assert "&lt;script&gt;" in shown
    assert "<td>random †</td>" in shown
    assert len(shown) < 3000
    assert not any(key in shown + repr(finished) for key in finished.keys)


def test_pictures_are_figures_of_their_size(run: Runner) -> None:
    finished = run(metrics="gini")
    with pytest.raises(xb.XaiboardError, match=r"curves-tiny\.png': the run has nothing to draw there"):
        finished.plot_curves()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    for kind in ("curves", "gallery"):
        image.imsave(finished.folder / f"{kind}-tiny.png", pixels)
    for figure in (finished.plot_curves(), finished.plot_gallery("tiny")):
        assert isinstance(figure, Figure)
        figure.savefig(finished.folder / "again.png")
        again = image.imread(finished.folder / "again.png")
        assert np.allclose(again[..., :3] * 255, pixels, atol=1)
        assert figure._repr_png_().startswith(b"\x89PNG")
