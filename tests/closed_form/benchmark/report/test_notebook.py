"""What a notebook shows of a run: a short leaderboard that is inert, and figures."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
import xaiboard.benchmark as xb
from helpers import RESULTS
from matplotlib import pyplot
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


def test_figures_can_be_changed_and_saved(tmp_path: Path) -> None:
    finished = xb.Run(RESULTS / "quick")
    curves, gallery = finished.plot_curves(), finished.plot_gallery("digits")
    assert isinstance(curves, Figure)
    curves.suptitle("Another title")
    curves.savefig(tmp_path / "curves.pdf")
    assert b"/Subtype /Image" not in (tmp_path / "curves.pdf").read_bytes()  # lines, no picture of them
    assert gallery._repr_png_().startswith(b"\x89PNG")
    assert not pyplot.get_fignums()
    vars(finished.results)["curves"] = finished.results.curves[:0]
    with pytest.raises(xb.XaiboardError, match="the run has nothing to draw as 'curves' of digits"):
        finished.plot_curves()
    with pytest.raises(xb.XaiboardError, match="no data set named 'digit'; did you mean 'digits'"):
        finished.plot_gallery("digit")
