"""The names that tables hold as text: written here, and read back here alone.

Everywhere else a component with its settings is a :class:`Label`, and a column of a metric a :class:`MetricColumn`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Label(NamedTuple):
    """A component's name with its settings, as tables hold them.

    Args:
        name: of the component.
        settings: the text of each setting's value, by its name.
    """

    name: str
    settings: Mapping[str, str]

    def __str__(self) -> str:
        """``deletion[baseline=mean,steps=28]``, or the name alone."""
        return self.name + (f"[{join_settings(self.settings)}]" if self.settings else "")


class MetricColumn(NamedTuple):
    """One of the columns of scores that a metric has.

    Args:
        metric: name of the metric.
        name: of the column; empty for the plain score, which bears the metric's own name in tables.
    """

    metric: str
    name: str = ""

    def __str__(self) -> str:
        """``lens_recall.chance``, or ``lens_recall`` for the plain score."""
        return f"{self.metric}.{self.name}" if self.name else self.metric


def read_label(text: str) -> Label:
    """The parts of ``deletion[baseline=mean,steps=28]``; the opposite of ``str(label)``."""
    name, _, settings = text.partition("[")
    return Label(name, read_settings(settings.removesuffix("]")))


def split_labels(text: str) -> list[str]:
    """The items of a list with commas: ``saliency,deletion[baseline=mean,steps=28]``; those in brackets stay."""
    return [item.strip() for item in re.split(r",(?![^\[]*\])", text) if item.strip()]


def read_settings(text: str) -> dict[str, str]:
    """Settings by name, from their text in a table: ``baseline=mean,steps=28``."""
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)


def join_settings(settings: Mapping[str, object]) -> str:
    """Text of settings: ``baseline=mean,steps=28``."""
    return ",".join(f"{name}={setting_text(value)}" for name, value in settings.items())


def setting_text(value: object) -> str:
    """Text of a setting's value: the shortest text of a number that is exact, ``true`` or ``false``, or the word."""
    if isinstance(value, float) and value == float(f"{value:g}"):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def setting_number(settings: Mapping[str, str], name: str) -> float:
    """A setting as a number; NaN where there is none of that name, or it is a word."""
    try:
        return float(settings.get(name, "nan"))
    except ValueError:
        return float("nan")


def read_metric_column(text: str) -> MetricColumn:
    """The parts of ``lens_recall.chance``; the opposite of ``str(column)``. Names of metrics have no dot."""
    metric, _, name = text.partition(".")
    return MetricColumn(metric, name)


def dataset_entry(text: str) -> str:
    """The registered name of a data set: ``image-folder`` of ``image-folder:a/b``."""
    return text.partition(":")[0]


class Trained(NamedTuple):
    """A trained network among others of the same recipe.

    Args:
        recipe: name of the model of seed 0.
        seed: by which the networks of a recipe differ.
    """

    recipe: str
    seed: int

    def __str__(self) -> str:
        """``cnn.standard.seed2``, or ``cnn.standard`` for seed 0."""
        return f"{self.recipe}.seed{self.seed}" if self.seed else self.recipe


def read_trained(text: str) -> Trained:
    """The parts of ``cnn.standard.seed2``; the opposite of ``str(trained)``."""
    recipe, _, seed = text.rpartition(".seed")
    return Trained(recipe, int(seed)) if recipe and seed.isdigit() else Trained(text, 0)
