"""All tables of a run in one object: each is made once, when it is first asked for, by whichever command or page."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pandas as pd

from ..store import tables
from ..store.columns import LABEL
from ..store.glossary import Glossary, make_glossary, read_said
from ..toolkit.files import read_json, user_folder
from .attribution_robustness.settings import with_settings
from .attribution_robustness.table import attribution_robustness
from .families import compare_families
from .health.correlations import metric_correlations
from .health.table import metric_health
from .leaderboard import leaderboard, wide
from .models import describe_models


class Results:
    """The tables of a run: those in its files, and those that follow from them.

    Args:
        folder: of the run; a file is read when it is first needed.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = user_folder(folder)

    @classmethod
    def of(cls, cells: pd.DataFrame, scores: pd.DataFrame, curves: pd.DataFrame | None = None) -> Self:
        """The results of tables that are at hand, without files."""
        results = cls(Path())
        curves = pd.DataFrame(columns=LABEL) if curves is None else curves
        # What is in the instance's dictionary, a cached property does not make.
        vars(results).update(cells=cells, scores=scores, curves=curves, conditions={}, _said={})
        return results

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row for each planned cell, with its status."""
        return tables.read_cells(self.folder)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row for each sample of each metric column."""
        return tables.read_scores(self.folder)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One row for each point of each mean curve."""
        return tables.read_curves(self.folder)

    @cached_property
    def conditions(self) -> dict[str, Any]:
        """What the run was asked for, as ``run.json`` has it; nothing where there is no such file."""
        path = self.folder / "run.json"
        return read_json(path) if path.is_file() else {}

    @cached_property
    def glossary(self) -> Glossary:
        """What the names in the tables stand for."""
        return make_glossary(self.cells, map(str, self.scores["metric"].unique()), self._said)

    @cached_property
    def _said(self) -> dict[str, dict[str, Any]]:
        return read_said(self.folder)

    @cached_property
    def datasets(self) -> list[str]:
        """Names of the data sets."""
        return sorted(set(self.cells["dataset"]))

    @cached_property
    def controls(self) -> set[str]:
        """Methods that explain nothing, by which others are judged."""
        return set(self.cells.loc[self.cells["control"].astype(bool), "method"])

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """Means, intervals and ranks."""
        return leaderboard(self.cells, self.scores, self.glossary)

    @cached_property
    def wide(self) -> pd.DataFrame:
        """The leaderboard's means: one row for each model and method, one column for each metric column."""
        return wide(self.leaderboard, self.glossary)

    @cached_property
    def families(self) -> pd.DataFrame:
        """Model families compared in pairs."""
        return compare_families(self.cells, self.scores, self.glossary)

    @cached_property
    def models(self) -> pd.DataFrame:
        """Accuracy, certificates and bounds of the models."""
        return describe_models(self.cells, self.scores, self.glossary)

    @property
    def health(self) -> pd.DataFrame:
        """What each metric column says of itself on each model: how far it can be trusted."""
        return self._health[0]

    @property
    def blurred(self) -> pd.DataFrame:
        """Each blurred copy against the map that it was made from."""
        return self._health[1]

    @cached_property
    def _health(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return metric_health(self.cells, self.scores, self.glossary)

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """How alike two metric columns order the methods."""
        return metric_correlations(self.leaderboard, self.health, self.controls)

    @cached_property
    def robustness(self) -> pd.DataFrame:
        """How alike the maps of an image and of its perturbed copies are; no rows where nothing was perturbed."""
        return attribution_robustness(self.leaderboard, self.scores, self.glossary)

    @cached_property
    def robustness_settings(self) -> pd.DataFrame:
        """The same rows, with what their perturbations and metrics are as columns of their own."""
        return with_settings(self.robustness, self.glossary)
