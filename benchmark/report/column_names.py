"""Short names of metric columns, with the settings that tell them apart."""

from __future__ import annotations

import pandas as pd

from .matrices import COLUMN


def short_names(table: pd.DataFrame) -> pd.Series:
    """A name for each row's metric column that shows only the settings that tell rows apart."""
    unique = table[COLUMN].astype(str).drop_duplicates()
    names = {}
    for _, group in unique.groupby("metric", sort=False):
        settings = [read_settings(text) for text in group["settings"]]
        varying = (
            [key for key in settings[0] if len({one.get(key) for one in settings}) > 1] if settings else []
        )
        several = group["perturbation"].nunique() > 1
        for (metric, text, perturbation), one in zip(group.itertuples(index=False), settings, strict=True):
            shown = ",".join(f"{key}={one[key]}" for key in varying)
            name = metric + (f"[{shown}]" if shown else "") + (f"@{perturbation}" if several else "")
            names[metric, text, perturbation] = name
    keys = zip(*(table[name].astype(str) for name in COLUMN), strict=True)
    return pd.Series([names[key] for key in keys], index=table.index, dtype=object)


def read_settings(text: str) -> dict[str, str]:
    """Settings by name, from their text in a table: ``baseline=mean,steps=28``."""
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)
