"""Rows of attributional robustness by what they ran with: the score that stands for all, the radius that most have."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from ...store.glossary import Glossary
from ...toolkit.labels import Label, setting_number
from ...toolkit.roles import EXACT_OVERLAP, WINDOWED_OVERLAP
from .table import ABOVE

EFFORT_AND_RADIUS = ("eps", "steps", "restarts")
"""Settings that do not make another kind of perturbation: how far it may go, and how hard it tries."""


def with_settings(table: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """The table of attributional robustness, with columns for what its perturbations and scores ran with.

    Of the perturbation: ``label``; ``eps``, NaN where it has none; ``attack``, whether it takes steps. Of the score:
    ``k`` and ``window``, NaN where it has none; ``clean``, whether it computes as the paper says and not as the
    released code does; ``windowed`` and ``exact``, whether its metric has the roles of these names.
    """
    labels = [glossary.perturbations[text] for text in table["perturbation"]]
    settings = [glossary.settings[text] for text in table["settings"]]
    found = table.assign(
        label=pd.Series(labels, index=table.index, dtype=object),
        eps=[setting_number(label.settings, "eps") for label in labels],
        attack=["steps" in label.settings for label in labels],
        k=[setting_number(values, "k") for values in settings],
        window=[setting_number(values, "window") for values in settings],
        clean=[values.get("reference", "clean") == "clean" for values in settings],
        windowed=table["metric"] == (glossary.metric_with(WINDOWED_OVERLAP) or None),
        exact=table["metric"] == (glossary.metric_with(EXACT_OVERLAP) or None),
    )
    kinds = dict.fromkeys(("eps", "k", "window"), float)
    return found.astype({**kinds, **dict.fromkeys(("attack", "clean", "windowed", "exact"), bool)})


def headline(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the one score that is shown, each with the ``kind`` of its perturbation.

    The score of top pixels within a window, at the smallest window above 0, where the run has it, or else the first
    score with a chance level; no rows where there is no such score. A row under whose perturbation no prediction held
    has no score, but is there.

    Args:
        rows: of :func:`with_settings`.
    """
    plain = rows[rows["column"] == ""]
    choices = plain.loc[plain[ABOVE].notna(), ["windowed", "clean", "window", "metric", "settings"]]
    best = min(
        choices.drop_duplicates().itertuples(index=False, name=None), key=_preference, default=("", "")
    )
    return with_kinds(plain[(plain["metric"] == best[-2]) & (plain["settings"] == best[-1])])


def _preference(choice: tuple[bool, bool, float, str, str]) -> tuple[bool, bool, float, str, str]:
    """What comes first in order is preferred."""
    windowed, clean, window, metric, settings = choice
    window = 0.0 if np.isnan(window) else window
    return not (windowed and window > 0), not clean, window, metric, settings


def with_kinds(rows: pd.DataFrame, but: Collection[str] = ("eps",)) -> pd.DataFrame:
    """The rows, with a ``kind``: a short name of the perturbation that leaves out the settings ``but``."""
    kinds = name_kinds(dict(zip(rows["perturbation"], rows["label"], strict=True)), but)
    return rows.assign(kind=rows["perturbation"].map(kinds))


def name_kinds(perturbations: Mapping[str, Label], but: Collection[str] = ("eps",)) -> dict[str, str]:
    """A short name for each perturbation: with the settings in which those of its name differ, leaving out some.

    Args:
        perturbations: by their text.
        but: settings that are left out; perturbations that differ in them alone are of one kind.
    """
    kinds = {}
    for text, (name, settings) in sorted(perturbations.items()):
        alike = [other.settings for other in perturbations.values() if other.name == name]
        varying = [key for key in settings if len({other.get(key) for other in alike}) > 1]
        shown = {key: settings[key] for key in varying if key not in but and settings[key]}
        kinds[text] = str(Label(name, shown))
    return kinds


def usual_eps(rows: pd.DataFrame) -> float:
    """The radius that most kinds of perturbation have, of equals the largest; NaN where none has one."""
    kinds = rows.groupby("eps")["kind"].nunique()
    return float(kinds[kinds == kinds.max()].index.max()) if len(kinds) else np.nan


def at_usual_eps(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of perturbations of that radius, and of those that have none."""
    return rows[(rows["eps"] == usual_eps(rows)) | rows["eps"].isna()]
