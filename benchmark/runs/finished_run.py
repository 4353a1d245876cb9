"""What a run gives: its tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from ..claims.evaluate import judge_claims
from ..claims.table import claims_table
from ..html_page.make import write_report
from ..report.comparison.ask import ask, read_question
from ..report.notebook import Picture, leaderboard_html, picture
from ..report.results import Results
from ..toolkit.arguments import checked


@dataclass(frozen=True)
class Run:
    """The results of a run, as tables; the files are in ``folder``, beside those of earlier runs in it.

    Args:
        folder: where the files are.
        keys: of the cells that this run planned.
        unchanged: whether all was there already, and nothing was computed or written.
    """

    folder: Path
    keys: frozenset[str] = field(default=frozenset(), repr=False)
    unchanged: bool = field(default=False, repr=False)

    @cached_property
    def results(self) -> Results:
        """All tables of the folder, those below and more; each is read or computed when it is first asked for."""
        return Results(self.folder)

    @property
    def cells(self) -> pd.DataFrame:
        """One row for each planned cell, with its status."""
        return self.results.cells

    @property
    def scores(self) -> pd.DataFrame:
        """One row for each sample of each metric column."""
        return self.results.scores

    @property
    def leaderboard(self) -> pd.DataFrame:
        """Means, intervals and ranks."""
        return self.results.leaderboard

    @property
    def families(self) -> pd.DataFrame:
        """Model families compared in pairs."""
        return self.results.families

    @property
    def models(self) -> pd.DataFrame:
        """Accuracy, certificates and bounds of the models."""
        return self.results.models

    @checked
    def compare(
        self,
        *,
        method: str = "",
        model: str = "",
        against: str | Sequence[str] = "all",
        on: str | Sequence[str] = (),
        margin: float | None = None,
        correct: str | None = None,
        seeds: bool = False,
        other: Run | str | Path | None = None,
    ) -> pd.DataFrame:
        """Is a method, or a model, better than others? One row for each column and rival.

        Args:
            method: compared with other methods of each model.
            model: compared with other models; with a method, the only model that counts.
            against: names of the rivals, or ``all``.
            on: patterns of metric columns; none for all.
            margin: differences up to it do not matter, in units of the score.
            correct: ``columns`` makes the verdicts hold for all columns together.
            seeds: whether models stand for their recipes, of which all seeds take part.
            other: a second run, joined on what is equal in both.

        Returns:
            ``effect`` (the mean less the rival's), its interval, ``n``, ``verdict`` (``better``, ``worse``, ``same
            within the margin``, ``not told apart``), ``smallest_difference`` that this many samples tell apart, and
            ``samples_needed`` to tell what was found.

        Raises:
            XaiboardError: a name that is not in the run, or nothing to compare.
        """
        question = read_question(
            method=method, model=model, against=against, on=on, margin=margin, correct=correct, seeds=seeds
        )
        folder = other.folder if isinstance(other, Run) else other
        return ask(self.folder, Path(folder) if folder is not None else None, question).table

    @checked
    def claims(self, file: str | Path | None = None, *, others: Sequence[str | Path] = ()) -> pd.DataFrame:
        """Does hold what papers claim? One row for each claim, as in ``claims.csv``.

        Args:
            file: TOML file of claims; None for those of the five papers.
            others: folders of further runs, whose scores count too.

        Raises:
            XaiboardError: the file says something that is no claim, or runs contradict each other.
        """
        return claims_table(judge_claims([self.folder, *others], file))

    def report(self) -> Path:
        """Writes ``report.html``, on which the run is looked at, sorted and compared; returns its path."""
        return write_report(self.results)

    @checked
    def plot_curves(self, dataset: str | None = None) -> Picture:
        """The deletion and insertion curves, as a matplotlib figure; ``dataset`` where the folder has several.

        Raises:
            XaiboardError: the run has none.
        """
        return picture(self.results, "curves", dataset)

    @checked
    def plot_gallery(self, dataset: str | None = None) -> Picture:
        """The maps of a few images by all methods, as a matplotlib figure; ``dataset`` where the folder has several.

        Raises:
            XaiboardError: the run has none.
        """
        return picture(self.results, "gallery", dataset)

    def _repr_html_(self) -> str:
        """What a notebook shows: the leaderboard in short, and what is worth knowing."""
        return leaderboard_html(self.folder, self.results)

    @property
    def failed(self) -> pd.DataFrame:
        """Cells of this run that raised, with their messages."""
        return self.cells[(self.cells["status"] == "failed") & self.cells["key"].isin(self.keys)]
