"""Breast cancer: 30 measurements of cell nuclei; needs no download."""

from __future__ import annotations

from typing import Any, Literal

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.tables import table_data


@dataset(
    name="breast-cancer",
    source="scikit-learn load_breast_cancer (UCI breast cancer Wisconsin, diagnostic, doi:10.24432/C5DW2B)",
)
def breast_cancer(split: Literal["train", "test"]) -> Data:
    """427 training and 142 test vectors ``(30,)`` in ``[0, 1]``: malignant (0) or benign (1)."""
    from sklearn.datasets import load_breast_cancer

    bunch: Any = load_breast_cancer(as_frame=True)
    data = table_data(bunch.frame, "target", split, "breast-cancer")
    return Data(data.x, data.label, [str(name) for name in bunch.target_names])
