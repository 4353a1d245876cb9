"""Tables of one's own: CSV or Parquet files with a column of classes."""

from __future__ import annotations

from typing import Literal

from ..components.decorators import dataset
from ..errors import XaiboardError
from ..toolkit.data import Data
from ..toolkit.files import user_path
from .shared.table_files import read_table
from .shared.tables import table_data


@dataset(source="the user's table")
def table(split: Literal["train", "test"], path: str, *, target: str = "") -> Data:
    """Rows of a table as vectors ``(F,)`` in ``[0, 1]``; every fourth row is for testing.

    A CSV file has a header; empty cells and ``?`` are missing. Numbers are scaled by the smallest and the largest value
    of the training rows; a missing one becomes their median. Texts become a feature for each level of the training
    rows; a missing one is a level of its own. A network that wants standardised features does that inside.

    Args:
        split: ``train`` or ``test``.
        path: of a file that ends in ``.csv``, ``.tsv`` or ``.parquet``.
        target: name of the column with the classes; the last one by default.

    Raises:
        XaiboardError: the file is damaged, it has no such column, or the column holds no classes.
    """
    file = user_path(path)
    read = read_table(file)
    name = target or (str(read.columns[-1]) if len(read.columns) else "")
    if name not in read.columns:
        known = ", ".join(map(str, read.columns[:20]))
        raise XaiboardError(
            f"'{file}' has no column '{name}'; it has: {known}{', …' * (len(read.columns) > 20)}"
        )
    return table_data(read, name, split, file)
