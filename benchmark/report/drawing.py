"""What all figures share: they open no window, and are saved as the same bytes each time; images and signed maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import matplotlib
import numpy as np

from ..toolkit.files import write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

matplotlib.use("Agg", force=False)


def save(figure: Figure, path: Path, *, crop: bool = False) -> None:
    """Writes a PNG and closes the figure.

    Args:
        figure: what is drawn.
        path: the PNG to write.
        crop: whether the picture ends where what is drawn ends, inside or outside of the figure's own margins.
    """
    from matplotlib import pyplot

    _show_dollars(figure)
    box: dict[str, Any] = {"bbox_inches": "tight"} if crop else {}
    write_file(
        path,
        lambda temporary: figure.savefig(
            temporary, dpi=110, format="png", metadata={"Software": None}, **box
        ),
    )
    pyplot.close(figure)


def tighten(figure: Figure, **room: Any) -> None:  # noqa: ANN401 - what tight_layout takes
    """Moves the axes of a figure so that all of their texts have room."""
    _show_dollars(figure)
    figure.tight_layout(**room)


def _show_dollars(figure: Figure) -> None:
    """Lets the names in a figure have dollars: between two of them matplotlib would read a formula."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        cast("Text", text).set_parse_math(False)


def show_image(axis: Axes, image: np.ndarray) -> None:
    """An image ``(C, H, W)`` in ``[0, 1]``: three channels are colours, of others the mean is shown."""
    shown = image.transpose(1, 2, 0).clip(0, 1) if len(image) == 3 else image.mean(0)
    axis.imshow(shown, cmap="gray", vmin=0, vmax=1)


def show_map(axis: Axes, values: np.ndarray) -> None:
    """A signed map ``(H, W)`` on its own scale: red above zero, blue below."""
    bound = float(np.abs(values).max()) or 1.0
    axis.imshow(values, cmap="RdBu_r", vmin=-bound, vmax=bound)
