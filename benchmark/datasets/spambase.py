"""Spambase: frequencies of words and signs in 4,601 letters; which are spam?"""

from __future__ import annotations

from typing import Literal

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.table_files import find_table, read_table
from .shared.tables import table_data

CLASSES = ("no spam", "spam")


@dataset(remote=True, source="UCI spambase, doi:10.24432/C53G6X")
def spambase(split: Literal["train", "test"]) -> Data:
    """3,451 training and 1,150 test vectors ``(57,)`` in ``[0, 1]``: no spam (0) or spam (1).

    Raises:
        XaiboardError: ``tabular/spambase.csv``, whose first line is skipped, is not in the directory ``XAIBOARD_DATA``,
            or is damaged.
    """
    file = find_table("spambase", "spambase.csv", "https://archive.ics.uci.edu/dataset/94/spambase")
    read = read_table(file, header=None, skiprows=1)
    data = table_data(read, read.columns[-1], split, file)
    return Data(data.x, data.label, CLASSES)
