"""What the page shows of single images: the images that were kept, their maps, and scores image by image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..report.blocks import Blocks
from ..report.results import Results
from .names import Names
from .packing import quantised

SCORES = 120_000
"""Scores of single images that a page holds, about; of longer runs it has those of the first images."""

FEWEST = 20
"""Images that it has scores of at least."""


def samples(results: Results, names: Names) -> dict[str, Any]:
    """Images, maps, predictions, and scores image by image."""
    kept = results.images
    first = {
        str(dataset): group["sample"].tolist() for dataset, group in kept.groupby("dataset", observed=True)
    }
    return {
        "images": _images(kept, names),
        "maps": _maps(results.maps, names),
        "scores": [
            _scores(results.blocks, dataset, first.get(dataset, []), names) for dataset in names.datasets
        ],
        "predictions": _predictions(results.blocks, kept, names),
    }


def _images(images: pd.DataFrame, names: Names) -> list[dict[str, Any]]:
    return [
        {
            "dataset": names.dataset_at[str(row["dataset"])],
            "sample": int(row["sample"]),
            "shape": [int(row[name]) for name in ("channels", "height", "width")],
            "pixels": np.frombuffer(row["pixels"], "u1"),
        }
        for row in images.to_dict("records")
    ]


def _maps(maps: pd.DataFrame, names: Names) -> list[dict[str, Any]]:
    """The maps of each method on each model, one after the other."""
    found = []
    keys = ["dataset", "model", "method", "height", "width"]
    for key, group in maps.groupby(keys, observed=True, sort=True):
        dataset, model, method = map(str, key[:3])
        if method in names.method_at and model in names.model_at:
            found.append(
                {
                    "dataset": names.dataset_at[dataset],
                    "model": names.model_at[model],
                    "method": names.method_at[method],
                    "shape": group[["height", "width"]].iloc[0].tolist(),
                    "samples": group["sample"].to_numpy("i4"),
                    "scale": group["scale"].to_numpy("f4"),
                    "values": np.frombuffer(b"".join(group["map"]), "i1"),
                }
            )
    return found


def _scores(blocks: Blocks, dataset: str, first: list[int], names: Names) -> dict[str, Any]:
    """The scores of the first images in all rows of a data set, in steps of each row's own range."""
    rows = blocks.rows[blocks.rows["dataset"] == dataset]
    everyone = blocks.samples(rows.index.to_numpy())
    count = max(FEWEST, SCORES // max(len(rows), 1))
    kept = np.array(first, dtype=np.int64)
    chosen = np.concatenate([kept[np.isin(kept, everyone)], everyone[~np.isin(everyone, kept)]])[:count]
    packed = [_row(blocks, place, chosen) for place in rows.index]
    return {
        "samples": chosen.astype("i4"),
        "of": len(everyone),
        "model": np.array([names.model_at[model] for model in rows["model"]], "i2"),
        "method": np.array([names.method_at[method] for method in rows["method"]], "i2"),
        "column": np.array(
            [
                names.column_at[key]
                for key in rows[["metric", "settings", "perturbation"]].itertuples(index=False, name=None)
            ],
            "i2",
        ),
        "low": np.array([one["low"] for one in packed], "f4"),
        "step": np.array([one["step"] for one in packed], "f4"),
        "values": np.concatenate([one["values"] for one in packed]) if packed else np.array([], "u2"),
    }


def _row(blocks: Blocks, place: int, chosen: np.ndarray) -> dict[str, Any]:
    """Scores of one row on the chosen images; none where it lacks one, or its weight is 0."""
    sample, score = blocks.of("sample", place), blocks.of("score", place).astype(float)
    score = np.where(blocks.of("weight", place) == 0, np.nan, score)
    at = np.searchsorted(sample, chosen).clip(max=len(sample) - 1)
    return quantised(np.where(sample[at] == chosen, score[at], np.nan))


def _predictions(blocks: Blocks, images: pd.DataFrame, names: Names) -> list[list[int]]:
    """Data set, model, image, explained class, label and whether the prediction is right, of the images kept."""
    found: dict[tuple[int, ...], None] = {}
    for place in blocks.as_written if len(images) else ():
        values = [blocks.of(name, place) for name in ("sample", "target", "label", "correct")]
        kept = np.isin(values[0], images["sample"])
        of = names.dataset_at[blocks.words["dataset"][place]], names.model_at[blocks.words["model"][place]]
        rows = zip(*(one[kept].tolist() for one in values), strict=True)
        found |= dict.fromkeys((*of, *map(int, numbers)) for numbers in rows)
    return list(map(list, found))
