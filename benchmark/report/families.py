"""Model families compared in pairs, on the samples that all models classify correctly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..statistics.contrasts import Difference
from ..statistics.differences import Differences
from ..statistics.ranks import Column
from ..statistics.recipes import recipe_difference
from ..statistics.signs import with_sums
from ..store.columns import LABEL
from ..store.glossary import Glossary
from .blocks import COLUMN, DIRECTIONS, Blocks
from .sides import (
    IMAGES,
    NO_SAMPLE,
    SEEDS,
    Compared,
    Side,
    compare_sides,
    family_sides,
    opponents,
    prepare_models,
    recipe_sides,
    single_sides,
)

FAMILIES = [
    "dataset", "method", "metric", "settings", "perturbation", "higher_is_better", "family_a", "family_b",
    "models_a", "models_b", "mean_a", "mean_b", "difference", "ci_low", "ci_high", "better", "n", "status", "note",
    "unit",
]  # fmt: skip

States = Mapping[tuple[str, ...], tuple[str, str]]
"""Status and note of each cell, by what names it."""


def compare_families(cells: pd.DataFrame, blocks: Blocks, glossary: Glossary) -> pd.DataFrame:
    """Models of different families, and whole families, compared in pairs on common correct samples.

    Only columns that may be compared across models take part. A sample counts if every model classifies it
    correctly. A family's mean is the plain mean over its models; it is empty where one of them has no score.

    Where ``unit`` is ``images``, a row is about these trained networks: samples are drawn anew, trainings are not.
    Intervals and verdicts then hold at 95 % for all pairs of models in a column together, and for all pairs of
    families. Recipes of which there are several networks meet with the unit ``seeds and images``: trainings are drawn
    anew too, and each interval holds at 95 % by itself.
    """
    comparable = blocks.rows["across_models"] & (blocks.rows["method"] != "")
    labels = cells[[*LABEL, "status", "note"]].astype(str).iloc[::-1].itertuples(index=False)
    states = {row[: len(LABEL)]: row[len(LABEL) :] for row in labels}
    rows = []
    for dataset in blocks.rows.loc[comparable, "dataset"].unique():
        planned = cells.loc[cells["dataset"] == dataset, ["model", "family"]]
        models = planned.drop_duplicates().sort_values(["family", "model"])
        groups, recipes = _hypotheses(models), recipe_sides(models)
        of_dataset = comparable & (blocks.rows["dataset"] == dataset)
        for _, of_method in blocks.groups(["method"], of_dataset):
            columns = (
                (places, prepare_models(blocks, places, glossary))
                for _, places in blocks.groups(COLUMN, blocks.rows.index.isin(of_method))
            )
            for (places, column), flipped in with_sums((one, one[1].means.influence) for one in columns):
                first, models_there = blocks.facts(places[0]), list(blocks.words["model"][places])
                for sides in groups:
                    compared = compare_sides(column, models_there, sides, first["higher_is_better"])
                    found = compared.differences(flipped)
                    rows.extend(
                        map(_short, _pairs(first, models_there, sides, compared, found, glossary, states))
                    )
                rows.extend(map(_short, _recipe_pairs(first, models_there, recipes, column)))
    return pd.DataFrame(rows, columns=FAMILIES)


def _short(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row as it stands in the table: of hundreds of thousands, dictionaries would take several times the memory."""
    return tuple(row.get(name, np.nan) for name in FAMILIES)


def _hypotheses(models: pd.DataFrame) -> list[list[Side]]:
    """Sides whose pairs are tested together: all models; and all families, if there is one of several models."""
    single, whole = single_sides(models), family_sides(models)
    return [single, whole] if len(whole) < len(single) else [single]


def _recipe_pairs(
    first: Mapping[str, str], models: list[str], recipes: list[Side], column: Column
) -> Iterator[dict[str, Any]]:
    """One row for each two recipes of different families that have several networks with scores here."""
    compared = compare_sides(column, models, recipes, first["higher_is_better"])
    place = dict(zip(compared.sides, compared.share > 0, strict=True))
    for a, b in opponents(recipes):
        if a in place and b in place:
            found = recipe_difference(column.means, *map(np.flatnonzero, (place[a], place[b])))
            means = tuple(column.means.mean[place[side]].mean() for side in (a, b))
            verdict = np.sign(found.low) if found.low * found.high > 0 else 0
            row = {**_row(first, recipes[a], recipes[b]), "unit": SEEDS}
            yield (
                row | _numbers(row, compared.sign, means, found, verdict) | {"n": len(column.means.influence)}
            )


def _row(first: Mapping[str, str], a: Side, b: Side) -> dict[str, str]:
    """What a row is about."""
    return {
        **{name: first[name] for name in ("dataset", "method", *COLUMN, "higher_is_better")},
        "family_a": a.family,
        "family_b": b.family,
        "models_a": "+".join(a.models),
        "models_b": "+".join(b.models),
        "unit": IMAGES,
    }


def _pairs(
    first: Mapping[str, str],
    models: list[str],
    sides: list[Side],
    compared: Compared,
    found: Differences,
    glossary: Glossary,
    states: States,
) -> Iterator[dict[str, Any]]:
    """One row for each two sides of different families, from the scores of one method in one column.

    Args:
        first: names and facts of the scores of one of the models.
        models: with scores.
        sides: those that are compared.
        compared: their means.
        found: the differences of these.
        glossary: what the names stand for.
        states: what became of each cell, to say why a model has no score.
    """
    place = {side: at for at, side in enumerate(compared.sides)}
    for a, b in opponents(sides):
        row = _row(first, sides[a], sides[b])
        if a in place and b in place:
            at = place[a], place[b]
            means = tuple(compared.mean[list(at)])
            difference = Difference(*(float(part[at]) for part in (found.effect, found.low, found.high)))
            verdict = int(found.better[at]) - int(found.better[at[::-1]])
            yield row | _numbers(row, compared.sign, means, difference, verdict) | {"n": found.n}
        else:
            cell = {**first, "metric": glossary.columns[first["metric"]].metric}
            yield {
                **row,
                "n": 0,
                **_why_not(models, found.n, (*sides[a].models, *sides[b].models), cell, states),
            }


def _numbers(
    row: Mapping[str, str], sign: int, means: tuple[float, float], found: Difference, verdict: float
) -> dict[str, str | float]:
    """Means of two sides and their difference in units of the score, with its interval and which family is better.

    Args:
        row: what it is about.
        sign: -1 where lower scores are better, and means and differences have the other sign than scores.
        means: of both sides.
        found: their difference.
        verdict: 1 if the first is beyond doubt better, -1 if the second is, 0 if that cannot be told.
    """
    bounds = sign * found.low, sign * found.high
    directed = row["higher_is_better"] in DIRECTIONS
    return {
        "mean_a": sign * means[0],
        "mean_b": sign * means[1],
        "difference": sign * found.effect,
        "ci_low": min(bounds),
        "ci_high": max(bounds),
        "better": {1: row["family_a"], -1: row["family_b"]}.get(int(verdict), "") if directed else "",
        "status": "ok",
        "note": "",
    }


def _why_not(
    present: list[str], n: int, models: tuple[str, ...], cell: Mapping[str, str], states: States
) -> dict[str, str]:
    """Why two sides cannot be compared, of which one model at least has no scores, or not on enough samples."""
    if not n:
        return {"status": "inapplicable", "note": NO_SAMPLE}
    missing = next((model for model in models if model not in present), None)
    if missing is None:
        return {"status": "inapplicable", "note": "more than 5 % of the samples are missing"}
    found = states.get(tuple({**cell, "model": missing}[name] for name in LABEL))
    if found is None:
        return {"status": "missing", "note": f"{missing} was not asked for"}
    return {"status": found[0], "note": f"{missing}: {found[1]}"}
