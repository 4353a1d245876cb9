"""Figures fit a page: no text lies on another or outside, at most 1,600 pixels; on the largest tables there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers import table
from matplotlib.figure import Figure
from matplotlib.text import Text
from xaiboard.benchmark.pictures.strips import Tile, draw_strips
from xaiboard.benchmark.report.drawing.canvas import DPI
from xaiboard.benchmark.report.drawing.curves import draw_curves
from xaiboard.benchmark.report.drawing.gallery import IMAGES, draw_gallery, rows_of
from xaiboard.benchmark.report.drawing.model_robustness import draw_robustness
from xaiboard.benchmark.report.drawing.palette import colours
from xaiboard.benchmark.report.drawing.rank_diagram import MeanRanks, cliques, draw_ranks
from xaiboard.benchmark.report.drawing.tiles import Sheet, in_sight
from xaiboard.benchmark.report.few_models import few_models
from xaiboard.benchmark.report.health.correlations import draw_correlations
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.sections.curves import curve_lines
from xaiboard.benchmark.store.glossary import Glossary, make_glossary
from xaiboard.benchmark.store.small_maps import small_image, small_map
from xaiboard.benchmark.store.tables import read_curves
from xaiboard.benchmark.toolkit.labels import read_metric_column
from xaiboard.benchmark.toolkit.roles import ATTACKED_RADIUS, CERTIFIED_RADIUS

RESULTS = Path(__file__).parents[5] / "results"
STANDARD = Results(RESULTS / "standard")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """Figures that are saved; instead of being written they are kept."""
    figures: list[Figure] = []

    def keep(figure: Figure, path: Path, **_: Any) -> None:  # noqa: ANN401 - of matplotlib
        figures.append(figure)
        Path(path).touch()

    monkeypatch.setattr(Figure, "savefig", keep)
    yield figures
    assert figures


def texts_of(figure: Figure) -> list[Text]:
    """What can be read: no text that is hidden or empty, or that belongs to a tick outside of its axis."""
    outside = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            outside |= {tick.label1 for tick in ticks if not axes.axison or not low <= tick.get_loc() <= high}
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    return [text for text in texts if text.get_visible() and text.get_text() and text not in outside]


def assert_fits(figure: Figure) -> None:
    """All texts are inside, at least a hair apart; the widest picture has 1,600 pixels."""
    figure.set_dpi(DPI)
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * DPI
    assert width <= 1600
    shown = [(text.get_text(), text.get_window_extent()) for text in texts_of(figure)]
    shown = [(text, box) for text, box in shown if box.width]
    low, high = (np.array([getattr(box, end) for _, box in shown]) for end in ("min", "max"))
    assert low.min() >= -1
    assert (high <= np.array([width, height]) + 1).all(), [text for text, box in shown if box.x1 > width + 1]
    over = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None])
    lie = np.argwhere(np.triu((over > 1.5).all(-1), 1))
    assert [(shown[a][0], shown[b][0]) for a, b in lie] == []


def curves(path: Path, models: int = 3) -> bool:
    board, points = table("standard", "leaderboard"), read_curves(RESULTS / "standard")
    shown = few_models(board, models)
    lines = curve_lines(points[points["model"].isin(shown)], board, make_glossary(STANDARD.cells))
    return draw_curves(lines, shown, STANDARD.looks, STANDARD.controls, path)


def correlations(path: Path) -> bool:
    return draw_correlations(table("standard", "metric_correlations"), table("standard", "health"), path)


def small_curves(path: Path) -> bool:
    return curves(path, models=1)


def small_correlations(path: Path) -> bool:
    found, health = table("standard", "metric_correlations"), table("standard", "health")
    few = sorted(set(health["column"]))[:4]
    kept = found["column_a"].isin(few) & found["column_b"].isin(few)
    return draw_correlations(found[kept], health[health["column"].isin(few)], path)


def small_gallery(path: Path) -> bool:
    return gallery(path, methods=7)


def robustness(path: Path) -> bool:
    """Of the models that are published, with radii that are drawn at random."""
    models = table("models", "models")
    noise = np.random.default_rng(0)
    scores = [
        models[["family", "model"]].assign(
            sample=sample, metric=metric, settings="", score=noise.random(len(models))
        )
        for sample in range(8)
        for metric in ("certificate.radius", "distance")
    ]
    names = {text: read_metric_column(text) for text in ("certificate.radius", "distance")}
    roles = {"certificate": (CERTIFIED_RADIUS,), "distance": (ATTACKED_RADIUS,)}
    return draw_robustness(pd.concat(scores), Glossary({}, {}, {}, names, {}, {"metrics": roles}), path)


def ranks(path: Path) -> bool:
    names = sorted(STANDARD.colours)
    apart = np.abs(np.subtract.outer(range(len(names)), range(len(names)))) > 4
    rank = np.sort(np.random.default_rng(0).integers(1, len(names) + 1, len(names))).astype(float)
    one = MeanRanks(
        "lipcnn.hkr", "faithfulness", [f"deletion[baseline={i}]" for i in range(9)], names, rank, apart
    )
    few = one._replace(methods=names[:2], rank=np.array([1.0, 1.0]), apart=np.zeros((2, 2), bool))
    return draw_ranks([one, few], STANDARD.colours, STANDARD.controls, path)


def gallery(path: Path, methods: int = 31) -> bool:
    names = [*list(STANDARD.colours)[: methods - 6], *STANDARD.controls]
    noise = np.random.default_rng(0)
    models = ["cnn.pgd_linf", "cnn.lipschitz_penalty_at", "lipmlp.hkr_one_vs_all"]
    maps = [
        {
            "dataset": "d",
            "model": model,
            "method": name,
            "sample": sample,
            **small_map(noise.normal(size=(1, 7, 9))),
        }
        for model, name, sample in product(models, names, range(8))
        if model != models[1] or name != "sobel"
    ]
    images = [
        {"dataset": "d", "sample": sample, **small_image(noise.random((3, 7, 9)))} for sample in range(8)
    ]
    return draw_gallery(
        pd.DataFrame(maps), pd.DataFrame(images), models, STANDARD.controls, STANDARD.colours, path
    )


def strips(path: Path) -> bool:
    """Class names and numbers of any length below tiles."""
    show = partial(Sheet.map, values=np.zeros((3, 5)))
    strip = [Tile(show, ["Egyptian cat, Felis catus", f"{-1.23e-7 * place:+.2g}"]) for place in range(5)]
    titles = ["image", "1× step", "2× step", "4× step", "top pixels"]
    legend = {
        "second, far from it": "#d55e00",
        "near the first": "#dfe3ec",
        "second, near the first": "#009e73",
    }
    some = {"cnn.lipschitz_penalty_at (regularised)": [strip] * 3, "a": [strip]}
    draw_strips(titles, some, "a sentence that is longer than a line, " * 9, legend, path)
    return True


SMALL_AND_LARGE = [
    curves, small_curves, correlations, small_correlations, robustness, ranks, gallery, small_gallery, strips,
]  # fmt: skip


@pytest.mark.parametrize("draw", SMALL_AND_LARGE)
def test_texts_are_inside_and_apart(
    draw: Callable[[Path], bool], drawn: list[Figure], tmp_path: Path
) -> None:
    assert draw(tmp_path / "figure.png")
    assert_fits(drawn[0])


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_each_format_is_the_same_bytes_each_time(kind: str, start: bytes, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.{kind}" for name in ("one", "other")]
    for path in paths:
        assert gallery(path, methods=8)
    assert paths[0].read_bytes().startswith(start)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_texts_that_lie_on_each_other_are_seen(drawn: list[Figure], tmp_path: Path) -> None:
    """Guards against a check that sees nothing."""
    ranks(tmp_path / "figure.png")
    drawn[0].text(0.5, 0.5, "a")
    drawn[0].text(0.501, 0.5, "b")
    with pytest.raises(AssertionError, match="'a', 'b'"):
        assert_fits(drawn[0])


def test_a_gallery_has_eight_methods_a_row_and_controls_apart() -> None:
    rows = rows_of([*(f"m{place:02}" for place in range(24)), "random"], {"random"})
    assert [len(row[0].methods) for row in rows] == [8, 8, 8, 1]
    assert [bool(row[0].heading) for row in rows] == [True, False, False, True]
    assert rows[-1][0].methods == ["random"]
    ((few, beside),) = rows_of(["a", "b", "random", "sobel"], {"random", "sobel"})
    assert (few.place, few.methods, beside.place, beside.methods) == (1, ["a", "b"], 4, ["random", "sobel"])


def test_a_heading_at_the_right_edge_is_short(drawn: list[Figure], tmp_path: Path) -> None:
    """Beside five methods two controls have less room than their heading."""
    methods = [*"abcde", "random", "sobel"]
    maps = pd.DataFrame(
        {"dataset": "d", "model": "m", "method": method, "sample": 0, **small_map(np.ones((1, 2, 3)))}
        for method in methods
    )
    images = pd.DataFrame([{"dataset": "d", "sample": 0, **small_image(np.ones((1, 2, 3)))}])
    assert draw_gallery(maps, images, ["m"], {"random", "sobel"}, colours(methods), tmp_path / "figure.png")
    assert "Controls" in [text.get_text() for text in texts_of(drawn[0])]
    assert_fits(drawn[0])


def test_a_gallery_shows_the_maps_that_are_kept(drawn: list[Figure], tmp_path: Path) -> None:
    """Each tile on its own scale, images as they are; where there is no map there is a dash."""
    values = np.arange(-3, 3).reshape(1, 2, 3).astype(float)
    image = np.linspace(0, 1, 6).reshape(1, 2, 3)
    maps = pd.DataFrame(
        {"dataset": "d", "model": model, "method": method, "sample": sample, **small_map(values * 10**sample)}
        for model, method, sample in product("mn", ["a", "b"], range(9))
        if (model, method) != ("n", "b")
    )
    images = pd.DataFrame({"dataset": "d", "sample": sample, **small_image(image)} for sample in range(9))
    look = colours(["a", "b"])
    assert draw_gallery(maps, images, ["m", "n"], set(), look, tmp_path / "figure.png")
    tiles = drawn[0].axes[0].images
    assert len(tiles) == IMAGES * (3 + 2)
    first = tiles[2 * IMAGES]  # after the images of both models
    shown = np.asarray(first.get_array())
    np.testing.assert_allclose(shown, values[0], atol=3 / 250)
    assert first.get_clim() == (-first.get_clim()[1], pytest.approx(3, abs=0.02))
    np.testing.assert_allclose(np.asarray(tiles[0].get_array()), image[0], atol=1 / 250)
    assert sum(text.get_text() == "–" for text in texts_of(drawn[0])) == IMAGES
    assert not draw_gallery(maps[:0], images, [], set(), look, tmp_path / "figure.png")


def test_a_few_pixels_of_a_large_map_do_not_set_its_scale() -> None:
    """Those of a small one do; and a map without zeros is shown from its smallest magnitude on, which is white."""
    large = np.linspace(-1, 1, 100 * 100).reshape(100, 100)
    large[0, :20] = 50
    assert in_sight(large)[1] == pytest.approx(0.99, abs=0.01)
    assert in_sight(large[:28, :28])[1] == 50
    for sign in (1, -1):
        shown, bound = in_sight(sign * (large.clip(-1, 1) + 5))
        assert (np.abs(shown).min(), np.sign(shown).sum()) == (0, sign * (shown != 0).sum())
        assert bound == pytest.approx(1.98, abs=0.01)
    sparse = np.zeros((100, 100))
    assert in_sight(sparse)[1] == 1
    sparse[0, 0] = 3
    assert in_sight(sparse)[1] == 3


def test_bars_join_neighbours_that_are_not_told_apart() -> None:
    apart = np.zeros((5, 5), dtype=bool)
    apart[0, 2] = apart[2, 0] = apart[1, 4] = apart[4, 1] = apart[0, 4] = apart[4, 0] = True
    assert cliques(apart) == [(0, 1), (1, 3), (2, 4)]
    assert cliques(~np.eye(3, dtype=bool)) == []
    assert cliques(np.zeros((3, 3), dtype=bool)) == [(0, 2)]


def test_few_models_are_of_many_families() -> None:
    rows = pd.DataFrame({"model": ["a", "b", "c", "d", "a"], "family": ["x", "x", "y", "x", "x"]})
    assert few_models(rows, 2) == ["a", "c"]
    assert few_models(rows, 3) == ["a", "b", "c"]
    assert few_models(rows) == ["a", "b", "c"]
