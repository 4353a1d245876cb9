"""Files that scikit-learn brings along, read without importing it, which takes a second."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ...errors import XaiboardError


def data_file(name: str) -> Path:
    """Where a file below ``sklearn/datasets/`` is.

    Raises:
        XaiboardError: scikit-learn is not installed.
    """
    found = find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise XaiboardError(
            "scikit-learn is not installed, whose data this data set is; pip install scikit-learn"
        )
    return Path(found.submodule_search_locations[0]) / "datasets" / name
