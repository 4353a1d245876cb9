"""Tables: rows with a class become vectors in ``[0, 1]``; what is learned of the columns is learned from training rows.

Every fourth row is for testing, as in ``digits``. Numbers are scaled by the smallest and the largest training value,
and clipped where a test row lies beyond; a missing number becomes the median. A text becomes one feature for each level
that training rows have, of which the row's own is 1; a missing text is a level of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from ...errors import XaiboardError
from ...toolkit.data import Data

if TYPE_CHECKING:
    import pandas as pd

MOST_FEATURES, MOST_CLASSES = 10_000, 1_000
MISSING = "missing"
"""Level of a text that is not there."""


def table_data(
    table: pd.DataFrame, target: str | int, split: Literal["train", "test"], origin: object
) -> Data:
    """A split of a table, ``(N, F)``.

    Args:
        table: a row for each sample.
        target: name of the column with the classes.
        split: which rows.
        origin: file that it comes from, for messages.

    Raises:
        XaiboardError: there are too few rows, too many classes or features, or a number is infinite.
    """
    classes, label = _classes(table[target], target, origin)
    testing = np.arange(len(table)) % 4 == 3
    if not testing.any():
        raise XaiboardError(
            f"'{origin}' has {len(table)} rows, expected at least 4, of which every fourth is for testing"
        )
    features = table.drop(columns=target)
    if not features.shape[1]:
        raise XaiboardError(
            f"'{origin}' has no column beside '{target}', expected some; separate them by commas, or by tabs in a file"
            " that ends in .tsv"
        )
    columns = [features.iloc[:, place] for place in range(features.shape[1])]
    texts = [_texts(column) for column in columns]
    levels = [text if text is None else np.unique(text[~testing]) for text in texts]
    count = sum(1 if level is None else len(level) for level in levels)
    if count > MOST_FEATURES:  # said before there are so many
        widest = max(features.columns, key=lambda name: features[name].nunique())
        raise XaiboardError(
            f"'{origin}' has {count} features beside '{target}', expected 1 to {MOST_FEATURES}; leave out what tells"
            f" rows apart but not classes, such as '{widest}'"
        )
    rows = testing if split == "test" else ~testing
    x = [
        _scaled(column, ~testing, origin)[rows, None]
        if text is None
        else (text[rows, None] == level).astype(np.float32)
        for column, text, level in zip(columns, texts, levels, strict=True)
    ]
    return Data(torch.from_numpy(np.concatenate(x, 1)), torch.from_numpy(label[rows]), classes)


def _classes(column: pd.Series, target: str | int, origin: object) -> tuple[list[str], np.ndarray]:
    """Names of the classes, sorted, and the class of each row."""
    import pandas as pd
    from pandas.api.types import is_float_dtype, is_numeric_dtype

    known = column.dropna()
    label, values = pd.factorize(known if is_numeric_dtype(column) else known.astype(str), sort=True)
    whole = not is_float_dtype(column) or bool((known == known.round()).all())
    missing = len(known) < len(column)
    if missing or not whole or not 2 <= len(values) <= MOST_CLASSES:
        raise XaiboardError(
            f"column '{target}' in '{origin}' has {len(values)} different values"
            f"{', some are missing' if missing else ''}, expected 2 to {MOST_CLASSES} classes; name the"
            " column of the classes with [target=NAME] after the path"
        )
    return [f"{value:g}" if is_float_dtype(column) else str(value) for value in values], label


def _texts(column: pd.Series) -> np.ndarray | None:
    """The texts of a column, ``(N,)``; None for numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_numeric_dtype(column) or is_bool_dtype(column):
        return None
    return column.astype(object).where(column.notna(), MISSING).astype(str).to_numpy()


def _scaled(column: pd.Series, training: np.ndarray, origin: object) -> np.ndarray:
    """The numbers of a column from 0 to 1, float32 ``(N,)``."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise XaiboardError(
            f"column '{column.name}' in '{origin}' holds infinite numbers, expected finite ones; replace them"
        )
    known = values[training & ~np.isnan(values)]
    if not known.size:
        return np.zeros(len(values), dtype=np.float32)
    low, high = known.min(), known.max()
    filled = np.where(np.isnan(values), np.median(known), values)
    return ((filled - low) / ((high - low) or 1)).clip(0, 1).astype(np.float32)
