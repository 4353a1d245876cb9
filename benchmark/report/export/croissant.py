"""``croissant.json``: what data catalogues read of ``scores.parquet``, in the format Croissant 1.0.

Its licence is the one that a published copy declares. Authors, address and date are not known here, and are left to
whoever publishes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...store.columns import LABEL
from ...store.dictionary import read_dictionary
from ...store.run_file import LICENCE
from ...store.seal import digest_of
from ...toolkit.files import read_json, write_file
from ...toolkit.wording import counted
from ..results import Results

FILE = "croissant.json"

SCORES = "scores.parquet"

_TABLE = "scores"

_CONTEXT = Path(__file__).with_name("croissant_context.json")
"""The ``@context`` that the format prescribes."""


def write_croissant(folder: Path, results: Results) -> None:
    """Replaces ``croissant.json``, where there are scores to describe; the same scores give the same bytes."""
    if not (folder / SCORES).is_file():
        return
    text = json.dumps(describe_scores(folder, results), indent=1, ensure_ascii=False) + "\n"
    write_file(folder / FILE, lambda path: path.write_text(text, "utf-8"))


def describe_scores(folder: Path, results: Results) -> dict[str, Any]:
    """The description of the scores in a folder: the file with its digest, and its columns."""
    path = folder / SCORES
    return {
        "@context": read_json(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"xaiboard scores on {', '.join(results.datasets)}",
        "description": _described(results),
        **({LICENCE: known} if (known := results.conditions.get(LICENCE)) else {}),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": SCORES,
                "name": SCORES,
                "contentUrl": SCORES,
                "contentSize": f"{path.stat().st_size} B",
                "encodingFormat": "application/x-parquet",
                "sha256": digest_of(path),
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": _TABLE,
                "name": _TABLE,
                "description": read_dictionary()[SCORES]["row"],
                "key": [{"@id": f"{_TABLE}/{name}"} for name in (*LABEL, "sample")],
                "field": [_field(column) for column in pq.read_schema(path)],
            }
        ],
    }


def _field(column: pa.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{_TABLE}/{column.name}",
        "name": column.name,
        "description": read_dictionary()[SCORES]["columns"][column.name],
        "dataType": _type(column.type),
        "source": {"fileObject": {"@id": SCORES}, "extract": {"column": column.name}},
    }


def _type(of: pa.DataType) -> str:
    if pa.types.is_dictionary(of):
        return _type(of.value_type)
    kinds = (
        (pa.types.is_boolean, "Boolean"), (pa.types.is_integer, "Integer"), (pa.types.is_floating, "Float"),
    )  # fmt: skip
    return f"sc:{next((name for fits, name in kinds if fits(of)), 'Text')}"


def _described(results: Results) -> str:
    """How many methods, models and metrics were run on what, and under which seed."""
    cells = results.cells[results.cells["status"] == "ok"]
    counts = [counted(len(set(cells[name]) - {""}), name) for name in ("method", "model", "metric")]
    conditions = results.conditions
    seed = f", seed {conditions['seed']}" if "seed" in conditions else ""
    samples = f", {counted(int(conditions['samples']), 'sample')}" if "samples" in conditions else ""
    return (
        f"Scores of explanations of image classifiers, sample by sample: {counts[0]} on {counts[1]}, judged by"
        f" {counts[2]}, on {', '.join(results.datasets)}{samples}{seed}."
    )
