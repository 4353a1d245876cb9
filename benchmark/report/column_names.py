"""Names of metric columns: short ones for headings, full ones that say everything."""

from __future__ import annotations

import pandas as pd

from ..store.glossary import Glossary
from ..toolkit.labels import Label
from .blocks import COLUMN


def full_names(table: pd.DataFrame) -> pd.Series:
    """The metric column of each row with all that names it: ``METRIC[SETTINGS]@PERTURBATION``, of what there is."""
    parts = {name: table[name].astype(str) for name in COLUMN}
    settings = ("[" + parts["settings"] + "]").where(parts["settings"] != "", "")
    perturbation = ("@" + parts["perturbation"]).where(parts["perturbation"] != "", "")
    return parts["metric"] + settings + perturbation


def short_names(table: pd.DataFrame, glossary: Glossary) -> pd.Series:
    """A name for the metric column of each row: ``deletion[baseline=mean]@noise[eps=0.1]``.

    Of the settings it shows those in which the table's rows of that metric differ, and the perturbation where they
    have several. A setting that was added later stands in no row that has it at its default, nor in its name.
    """
    unique = table[COLUMN].astype(str).drop_duplicates()
    names = {}
    for _, group in unique.groupby("metric", sort=False):
        settings = [glossary.settings[text] for text in group["settings"]]
        known = dict.fromkeys(key for one in settings for key in one)
        varying = [key for key in known if len({one.get(key) for one in settings}) > 1]
        several = group["perturbation"].nunique() > 1
        for (metric, text, perturbation), one in zip(group.itertuples(index=False), settings, strict=True):
            shown = Label(metric, {key: one[key] for key in varying if key in one})
            names[metric, text, perturbation] = f"{shown}@{perturbation}" if several else str(shown)
    keys = zip(*(table[name].astype(str) for name in COLUMN), strict=True)
    return pd.Series([names[key] for key in keys], index=table.index, dtype=object)
