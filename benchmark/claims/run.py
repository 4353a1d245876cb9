"""One run, as evidence: the scores of a network in a column that is named as in a declaration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..report.blocks import Blocks
from ..report.results import Results
from ..store.columns import LABEL
from ..store.tables import unpack_scores
from ..toolkit.labels import Label, read_metric_column
from .names import meant
from .sides import Source


class Scores(NamedTuple):
    """Of one network in one column, in the order of the images' numbers.

    Args:
        sample: numbers of the images, ``(n,)``.
        score: NaN where there is none.
        weight: in the mean; under a perturbation 0 where it changes the prediction.
        correct: whether the network is right.
        versions: of metric, method and perturbation.
    """

    sample: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    correct: np.ndarray
    versions: tuple[str, ...]


class Run:
    """One run, whose scores are read when the first of them is asked for.

    Args:
        folder: of the run.
        columns: of metrics that are read, as ``deletion.win_rate``.
    """

    def __init__(self, folder: str | Path, columns: frozenset[str]) -> None:
        self.results = Results(folder)
        self.name = str(self.results.folder)
        self._columns = columns
        self._known: dict[tuple[str, str], list[str]] = {}

    @cached_property
    def networks(self) -> dict[tuple[str, str], str]:
        """Digest of the weights of each network, by data set and name."""
        cells = self.results.cells[["dataset", "model", "weights"]].astype(str).drop_duplicates()
        rows = cells.sort_values("weights").itertuples(
            index=False
        )  # a cell that was not computed may have none
        return {(dataset, model): weights for dataset, model, weights in rows}

    def find(self, dataset: str, network: str, source: Source) -> Scores | None:
        """The scores of a network; None if it has none here.

        Raises:
            XaiboardError: a name of the source may mean several columns, methods or perturbations here.
        """
        if (dataset, network) not in self.networks:
            return None
        for column in self._meant("metrics", source.column):
            for method in self._meant("methods", source.method):
                for perturbation in self._meant("perturbations", source.perturbation):
                    label = (dataset, network, method, *column.split("\n"), perturbation)
                    if (place := self._places.get(label)) is not None:
                        return self._scores(label, place)
        return None

    def why_not(self, dataset: str, network: str, source: Source) -> str:
        """What became of a cell without scores; empty where it was not planned."""
        cells = self.results.cells
        there = (cells["dataset"] == dataset) & (cells["model"] == network) & (cells["status"] != "ok")
        there &= cells["metric"] == read_metric_column(source.column.partition("[")[0]).metric
        there &= cells["method"].isin(self._meant("methods", source.method))
        words = (f"{status}, {note}" for status, note in cells.loc[there, ["status", "note"]].to_numpy())
        return "; ".join(dict.fromkeys(words))

    def _scores(self, label: tuple[str, ...], place: int) -> Scores:
        of = self._blocks.of
        values = of("sample", place), of("score", place), of("weight", place), of("correct", place)
        cell = (*label[:3], read_metric_column(label[3]).metric, *label[4:])
        return Scores(*values, self._versions.get(cell, ()))

    def _meant(self, kind: str, declared: str) -> list[str]:
        """The texts that a declared name means; of no name, the empty text."""
        if (kind, declared) not in self._known:
            found = meant(kind, declared, self._labels[kind]) if declared else [""]
            self._known[kind, declared] = found
        return self._known[kind, declared]

    @cached_property
    def _labels(self) -> Mapping[str, Mapping[str, Label]]:
        columns = self._blocks.rows[["metric", "settings"]].drop_duplicates()
        glossary = self.results.glossary  # asks for the scores, which are those of some columns now
        return {
            "methods": glossary.methods,
            "perturbations": glossary.perturbations,
            "metrics": {
                f"{metric}\n{settings}": Label(metric, glossary.settings[settings])
                for metric, settings in columns.itertuples(index=False)
            },
        }

    @cached_property
    def _blocks(self) -> Blocks:
        scores = unpack_scores(self.results.folder, columns=self._columns)
        vars(self.results).update(blocks=Blocks(scores))
        return self.results.blocks

    @cached_property
    def _places(self) -> dict[tuple[str, ...], int]:
        """Where the block of each label is."""
        labels = self._blocks.rows[LABEL].itertuples(index=False, name=None)
        return {label: place for place, label in enumerate(labels)}

    @cached_property
    def _versions(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Of metric, method and perturbation of each finished cell, by its label."""
        cells = self.results.cells
        facts = ["metric_version", "method_version", "perturbation_version"]
        rows = cells.loc[cells["status"] == "ok", [*LABEL, *facts]].astype(str)
        return {row[: len(LABEL)]: row[len(LABEL) :] for row in rows.itertuples(index=False, name=None)}
