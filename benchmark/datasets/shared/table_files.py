"""Reads tables from CSV and Parquet files, and finds those that ``XAIBOARD_DATA`` has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import XaiboardError
from ...toolkit.files import require_regular
from .files import find_files
from .limits import OF_DATA

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {".csv": ",", ".tsv": "\t"}


def find_table(dataset: str, name: str, page: str) -> Path:
    """Path of ``$XAIBOARD_DATA/tabular/<name>``.

    Args:
        dataset: name of the data set, for the message.
        name: of the file.
        page: where a user finds it.

    Raises:
        XaiboardError: it is not there.
    """
    found = find_files("tabular", [(name,)])
    if found is None:
        root = os.environ.get("XAIBOARD_DATA") or "not set"
        raise XaiboardError(
            f"{dataset} needs '{name}', which is not in 'tabular/' of the directory XAIBOARD_DATA ({root}); fetch it"
            f" from {page} and put it there"
        )
    return found[0]


def read_table(file: Path, **options: Any) -> pd.DataFrame:  # noqa: ANN401 - pandas' own
    """The table in a file; ``options`` are those of pandas' reader of CSV files.

    Raises:
        XaiboardError: it is no table, or larger than ``XAIBOARD_DATA_BYTES`` allows.
    """
    import pandas as pd
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        require_regular(file)
        OF_DATA.check(file.stat().st_size)
        ending = file.suffix.lower()
        if ending in SEPARATORS:
            return pd.read_csv(
                file,
                sep=SEPARATORS[ending],
                na_values="?",
                skipinitialspace=True,
                compression=None,
                **options,
            )
        if ending == ".parquet":
            with ParquetFile(file) as parquet:
                groups = range(parquet.metadata.num_row_groups)
                OF_DATA.check(sum(parquet.metadata.row_group(number).total_byte_size for number in groups))
                return parquet.read().to_pandas()
        raise ValueError(f"it ends in '{file.suffix}'")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise XaiboardError(
            f"'{file}' cannot be read ({' '.join(str(error).split())}), expected a table that ends in .csv, .tsv or"
            " .parquet; correct the path, or write it anew"
        ) from None
