"""Mushroom: 22 properties of mushrooms, each one of a few words; which can be eaten?"""

from __future__ import annotations

from typing import Literal

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.table_files import find_table, read_table
from .shared.tables import table_data


@dataset(remote=True, source="UCI mushroom, doi:10.24432/C5959T")
def mushroom(split: Literal["train", "test"]) -> Data:
    """6,093 training and 2,031 test vectors ``(117,)`` of zeros and ones: edible (``e``) or poisonous (``p``).

    Raises:
        XaiboardError: ``tabular/mushroom.csv``, with a header and the column ``edibility``, is not in the directory
            ``XAIBOARD_DATA``, or is damaged.
    """
    file = find_table("mushroom", "mushroom.csv", "https://archive.ics.uci.edu/dataset/73/mushroom")
    return table_data(read_table(file), "edibility", split, file)
