"""Everything that the page shows, as one object that JSON and arrays can hold."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pandas as pd

from ..errors import message, warn
from ..report.health.controls import passes_controls
from ..report.results import Results
from ..report.section import sections
from ..store.class_names import read_class_names
from ..store.run_file import read_run
from ..store.suites import read_suites
from ..store.versions import read_versions
from .answers import answers
from .board import board, cells
from .cards import cards
from .claims import claims_of
from .curves import agreement, curves, robustness
from .names import Names
from .order import order
from .pairs import pairs
from .samples import samples


def content(results: Results) -> dict[str, Any]:
    """The content of the page of a run."""
    names = Names(results)
    orders = order(results, names)
    return {
        "run": _run(results),
        "names": names.describe(),
        "order": orders,
        "answers": answers(results, names, orders),
        "health": _health(results, names),
        "board": board(results, names),
        "pairs": pairs(results, names),
        "curves": curves(results, names),
        "robustness": robustness(results, names),
        "agreement": agreement(results, names),
        "samples": samples(results, names),
        "cells": cells(results, names),
        "cards": cards(results),
        "claims": claims_of(results.folder),
        "sections": _sections(results),
    }


def _run(results: Results) -> dict[str, Any]:
    """What was asked for, which versions made the scores and the page, and by which digest the scores are known."""
    run = read_run(results.folder)
    scores = run.seal.files.get("scores.parquet", "") if run and run.seal else ""
    places = {
        name: results.blocks.rows.index[results.blocks.rows["dataset"] == name] for name in results.datasets
    }
    return {
        "name": results.folder.resolve().name,
        "suites": read_suites(results.folder),
        "conditions": {name: str(value) for name, value in results.conditions.items()},
        "samples": {name: len(results.blocks.samples(at.to_numpy())) for name, at in places.items()},
        "classes": read_class_names(results.folder),
        "digest": scores,
        "runBy": read_versions(results.folder),
        "version": version("xaiboard"),
    }


def _health(results: Results, names: Names) -> list[dict[str, Any]]:
    """For each model and column: whether it passes its controls, and what its own reliability is."""
    health = results.health
    parts = ["beat_random", "random_beats", "blurred_pairs", "blurred_better", "split_half"]
    numbers = health[parts].astype("Float64").astype(object).where(health[parts].notna(), None)
    return [
        {
            "dataset": names.dataset_at[str(dataset)],
            "model": names.model_at[str(model)],
            "column": names.column_at[str(metric), str(settings), str(perturbation)],
            "passes": bool(passes),
            "tested": of["beat_random"] is not None,
            **{str(name): None if value is None else round(float(value), 3) for name, value in of.items()},
        }
        for (dataset, model, metric, settings, perturbation), passes, of in zip(
            health[["dataset", "model", "metric", "settings", "perturbation"]].itertuples(
                index=False, name=None
            ),
            passes_controls(health),
            numbers.to_dict("records"),
            strict=True,
        )
    ]


def _sections(results: Results) -> list[dict[str, Any]]:
    """Tables of the sections that plug-ins bring; a section that raises costs itself."""
    found = []
    for section in sections():
        for dataset in [""] if section.whole_run else results.datasets:
            if section.of_plugin:
                try:
                    table = section.table(results, dataset)
                    note = section.note(results, dataset) if len(table) else ""
                except Exception as error:
                    warn(f"section '{section.name}' of the report failed: {message(error)}")
                    continue
                if len(table):
                    found.append({"dataset": dataset, **_table(section.title, section.question, note, table)})
    return found


def _table(title: str, question: str, note: str, table: pd.DataFrame) -> dict[str, Any]:
    return {
        "title": title,
        "question": question,
        "note": note,
        "columns": [str(name) for name in table.columns],
        "rows": [[str(value) for value in row] for row in table.itertuples(index=False, name=None)],
    }
