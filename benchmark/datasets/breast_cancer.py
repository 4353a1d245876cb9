"""Breast cancer: 30 measurements of cell nuclei; needs no download."""

from __future__ import annotations

from typing import Literal

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.scikit_learn import data_file
from .shared.table_files import read_table
from .shared.tables import table_data

CLASSES = ("malignant", "benign")


@dataset(
    name="breast-cancer",
    source="scikit-learn load_breast_cancer (UCI breast cancer Wisconsin, diagnostic, doi:10.24432/C5DW2B)",
)
def breast_cancer(split: Literal["train", "test"]) -> Data:
    """427 training and 142 test vectors ``(30,)`` in ``[0, 1]``: malignant (0) or benign (1)."""
    file = data_file("data/breast_cancer.csv")
    read = read_table(file, header=None, skiprows=1, float_precision="round_trip")
    data = table_data(read, read.columns[-1], split, file)
    return Data(data.x, data.label, CLASSES)
