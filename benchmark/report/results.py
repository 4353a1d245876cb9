"""All tables of a run in one object: each is made once, when it is first asked for, by whichever command or page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from ..store import tables
from ..store.columns import CURVES
from ..store.glossary import Glossary, make_glossary, read_said
from ..store.maps import IMAGE, MAP, read_images, read_maps
from ..store.run_file import read_run
from ..toolkit.files import user_folder
from .attribution_robustness.convergence import converged
from .attribution_robustness.settings import with_settings
from .attribution_robustness.table import attribution_robustness
from .blocks import Blocks
from .drawing.palette import colours, dashes
from .families import compare_families
from .health.correlations import metric_correlations
from .health.table import metric_health
from .leaderboard import doubtful, leaderboard, wide
from .models import describe_models
from .standing import Standing, standings


class Results:
    """The tables of a run: those in its files, and those that follow from them.

    Args:
        folder: of the run; a file is read when it is first needed.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = user_folder(folder)

    @classmethod
    def of(
        cls,
        cells: pd.DataFrame,
        scores: pd.DataFrame,
        curves: pd.DataFrame | None = None,
        said: Mapping[str, Any] | None = None,
    ) -> Self:
        """The results of tables that are at hand, without files, and of what is said of the names in them."""
        results = cls(Path())
        curves = pd.DataFrame(columns=CURVES) if curves is None else curves
        # What is in the instance's dictionary, a cached property does not make.
        vars(results).update(cells=cells, scores=scores, curves=curves, conditions={}, _said=dict(said or {}))
        vars(results).update(maps=pd.DataFrame(columns=MAP), images=pd.DataFrame(columns=IMAGE))
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
    def maps(self) -> pd.DataFrame:
        """One row for each kept attribution of the first samples, see :func:`~xaiboard.benchmark.store.maps.map_of`."""
        return read_maps(self.folder)

    @cached_property
    def images(self) -> pd.DataFrame:
        """One row for each sample of which maps are kept."""
        return read_images(self.folder)

    @cached_property
    def conditions(self) -> dict[str, Any]:
        """What the run was asked for, a word or number each; nothing where there is no ``run.json``."""
        run = read_run(self.folder)
        known = run.conditions if run else {}
        return {name: value for name, value in known.items() if isinstance(value, (str, int, float))}

    @cached_property
    def glossary(self) -> Glossary:
        """What the names in the tables stand for."""
        return make_glossary(self.cells, self.blocks.rows["metric"].unique(), self._said)

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
    def colours(self) -> dict[str, str]:
        """The colour of each method in every figure: controls, which come last, are grey."""
        return colours(set(self.cells["method"]) - {""}, self.controls)

    @cached_property
    def looks(self) -> dict[str, dict[str, Any]]:
        """Colour and dash of each method's lines, as matplotlib takes them."""
        lines = dashes(self.colours, self.controls)
        return {
            name: {"color": colour, "linestyle": (0, lines[name]) if lines[name] else "-"}
            for name, colour in self.colours.items()
        }

    @cached_property
    def blocks(self) -> Blocks:
        """The scores, block by block for the tables; from the file, unless a table of them is at hand."""
        at_hand = vars(self).get("scores")
        return Blocks(tables.unpack_scores(self.folder) if at_hand is None else at_hand)

    @cached_property
    def standings(self) -> list[Standing]:
        """Means, intervals and ranks of all rows, column by column; what is beyond doubt better than what."""
        return standings(self.blocks, self.glossary)

    @cached_property
    def converged(self) -> np.ndarray:
        """Whether the attack behind each block of scores has converged."""
        return converged(self.blocks, self.glossary.perturbations)

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """Means, intervals and ranks."""
        return leaderboard(self.cells, self.blocks, self.standings, self.converged, self.glossary)

    @cached_property
    def doubtful(self) -> set[tuple[str, ...]]:
        """The names (``LABEL``) of rows of the leaderboard whose rank is to be read with its note."""
        return doubtful(self.blocks, self.standings)

    @cached_property
    def wide(self) -> pd.DataFrame:
        """The leaderboard's means: one row for each model and method, one column for each metric column."""
        return wide(self.leaderboard, self.glossary)

    @cached_property
    def families(self) -> pd.DataFrame:
        """Model families compared in pairs."""
        return compare_families(self.cells, self.blocks, self.glossary)

    @cached_property
    def models(self) -> pd.DataFrame:
        """Accuracy, certificates and bounds of the models."""
        return describe_models(self.cells, self.blocks, self.standings, self.glossary)

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
        return metric_health(self.cells, self.blocks, self.standings, self.glossary)

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """How alike two metric columns order the methods."""
        return metric_correlations(self.leaderboard, self.health, self.controls)

    @cached_property
    def robustness(self) -> pd.DataFrame:
        """How alike the maps of an image and of its perturbed copies are; no rows where nothing was perturbed."""
        return attribution_robustness(self.leaderboard, self.blocks, self.converged, self.glossary)

    @cached_property
    def robustness_settings(self) -> pd.DataFrame:
        """The same rows, with what their perturbations and metrics are as columns of their own."""
        return with_settings(self.robustness, self.glossary)
