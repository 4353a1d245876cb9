"""The figures of a run are drawn whatever the images are, and whatever fails."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import xaiboard.benchmark as xb
from matplotlib import pyplot
from torch import Tensor, nn
from xaiboard.benchmark.report.drawing.canvas import save
from xaiboard.benchmark.runs.running import write_tables
from xaiboard.benchmark.store.verify import verify
from xaiboard.benchmark.toolkit.data import Data


def run_on(shape: tuple[int, ...], folder: Path, methods: list[object]) -> xb.Run:
    @xb.dataset(name="shaped")
    def _shaped(split: str) -> Data:
        x = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
        return Data(x, torch.arange(3), list("abc"))

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(shape).numel(), 3))
    return xb.run(
        dataset="shaped",
        models={"net": model},
        methods=methods,
        metrics="gini,deletion[steps=2,orders=1]",
        out=folder,
        progress=False,
    )


def broken(x: Tensor) -> Tensor:
    raise ValueError("no luck")


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_images_of_any_number_of_channels(tmp_path: Path, channels: int) -> None:
    finished = run_on((channels, 4, 4), tmp_path / "run", ["saliency", broken, "gradcam"])
    assert finished.cells["status"].value_counts().to_dict() == {"ok": 2, "failed": 2, "inapplicable": 2}
    assert (finished.folder / "curves-shaped.png").read_bytes().startswith(b"\x89PNG")


def test_vectors_have_curves_and_no_gallery(tmp_path: Path) -> None:
    finished = run_on((16,), tmp_path / "run", ["saliency"])
    assert set(finished.cells["status"]) == {"ok"}
    assert (finished.folder / "curves-shaped.png").is_file()
    assert not (finished.folder / "gallery-shaped.png").exists()


def test_figures_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    one, other = (run_on((1, 4, 4), tmp_path / name, ["saliency", "random"]) for name in ("one", "other"))
    assert (one.folder / "curves-shaped.png").read_bytes() == (
        other.folder / "curves-shaped.png"
    ).read_bytes()


def test_a_format_is_drawn_beside_the_png_sealed_and_kept_up_to_date(tmp_path: Path) -> None:
    finished = run_on((1, 4, 4), tmp_path, ["saliency", "random"])
    assert not list(tmp_path.glob("*.svg"))
    (tmp_path / "notes.pdf").write_text("of the user")
    write_tables(finished, "svg")
    figure = tmp_path / "curves-shaped.svg"
    figure.write_text("an old one")
    assert any(figure.name in problem for problem in verify(tmp_path)[0])
    write_tables(finished)
    assert figure.read_text("utf-8").startswith("<?xml")
    assert verify(tmp_path)[0] == []
    assert not list(tmp_path.glob("curves-*.pdf"))


def test_formats_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(xb.XaiboardError, match="no format of figures named 'eps'; there are: png, svg, pdf"):
        xb.run(figures="eps", out=tmp_path)


def test_a_run_of_model_metrics_has_no_figure(tmp_path: Path, tiny: str, mlp: nn.Module) -> None:
    finished = xb.run(
        dataset=tiny, models={"net": mlp}, metrics="accuracy", out=tmp_path / "run", progress=False
    )
    assert not list(finished.folder.glob("*.png"))


def test_names_may_have_dollars(tmp_path: Path) -> None:
    """Between two dollars matplotlib would read a formula, and refuse this one."""
    figure, axis = pyplot.subplots()
    axis.set_title(r"a $\nothing$ b")
    axis.legend(axis.plot([1, 2]), [r"$\frac$"])
    save(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").is_file()
