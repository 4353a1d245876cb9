"""Writes a run's tables, its Markdown page and its curve figures; no torch, so that a laptop can rebuild them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from ..store.tables import write_csv
from ..toolkit.files import file_name, read_json, write_file
from .attribution_robustness.figures import draw_against_eps, draw_against_window, draw_lens_and_topk
from .attribution_robustness.section import introduce, short_robustness
from .attribution_robustness.table import attribution_robustness
from .curves import draw_curves
from .families import compare_families
from .health.correlations import draw_correlations, metric_correlations
from .health.section import INTRODUCTION, short_health
from .health.table import metric_health
from .leaderboard import leaderboard, wide
from .markdown import markdown
from .model_robustness import draw_robustness
from .models import describe_models

_METHODS = """\
Ranks compare the methods of one model, 1 is best; a rank interval holds the ranks that a method cannot be told
apart from (paired bootstrap over samples, 95 %, Holm-corrected). Controls are marked †: a method that does not
beat them explains nothing. Raw deletion and insertion areas are comparable within one model only; the columns
that compare models are in `families.csv`. All columns with intervals: `leaderboard.csv`.
"""


def write(folder: Path, cells: pd.DataFrame, scores: pd.DataFrame) -> None:
    """Writes every table that follows from the cells and scores, the page, and the curves and radii as figures."""
    table = leaderboard(cells, scores)
    families = compare_families(cells, scores)
    models = describe_models(cells, scores)
    health, blurred = metric_health(cells, scores)
    controls = set(cells.loc[cells["control"].astype(bool), "method"])
    correlations = metric_correlations(table, health, controls)
    for name, content in (
        ("leaderboard.csv", table),
        ("leaderboard_wide.csv", wide(table)),
        ("families.csv", families),
        ("models.csv", models),
        ("health.csv", health),
        ("blurred.csv", blurred),
        ("metric_correlations.csv", correlations),
    ):
        write_file(folder / name, lambda path, content=content: write_csv(content, path))
    robustness = attribution_robustness(table, scores)
    drawn = {}
    if len(robustness):
        write_file(folder / "robustness.csv", lambda path: write_csv(robustness, path))
        drawn = draw_attributions(folder, robustness[~robustness["method"].isin(controls)])
    page = make_page(folder, cells, table, families, models, health, robustness, drawn)
    write_file(folder / "leaderboard.md", lambda path: path.write_text(page, "utf-8"))
    curves = folder / "curves.csv"
    if curves.is_file():
        drawn = pd.read_csv(curves, keep_default_na=False)
        for dataset, of_dataset in drawn.groupby("dataset"):
            draw_curves(of_dataset, folder / f"curves-{file_name(str(dataset))}.png")
    for dataset, of_dataset in scores.groupby("dataset", observed=True):
        draw_robustness(of_dataset, folder / f"robustness-{file_name(str(dataset))}.png")
    for dataset, pairs in correlations.groupby("dataset"):
        path = folder / f"metric-correlations-{file_name(str(dataset))}.png"
        draw_correlations(pairs, health[health["dataset"] == dataset], path)


def draw_attributions(folder: Path, robustness: pd.DataFrame) -> dict[str, list[str]]:
    """Draws what there is of attributional robustness; names of the figures of each data set."""
    figures = {"eps": draw_against_eps, "window": draw_against_window, "topk": draw_lens_and_topk}
    drawn = {}
    for dataset, rows in robustness.groupby("dataset"):
        paths = {kind: folder / f"attribution-{kind}-{file_name(str(dataset))}.png" for kind in figures}
        drawn[dataset] = [path.name for kind, path in paths.items() if figures[kind](rows, path)]
    return drawn


def make_page(
    folder: Path,
    cells: pd.DataFrame,
    table: pd.DataFrame,
    families: pd.DataFrame,
    models: pd.DataFrame,
    health: pd.DataFrame,
    robustness: pd.DataFrame,
    drawn: Mapping[str, list[str]],
) -> str:
    """``leaderboard.md``: conditions, models, ranks, families, robustness, metrics, and the cells without scores."""
    controls = set(cells.loc[cells["control"].astype(bool), "method"])
    parts = [f"# Leaderboard\n\n{_conditions(folder, cells)}\n"]
    if cells["method"].any():
        parts.append(_METHODS)
    for dataset in sorted(set(cells["dataset"])):
        parts.append(f"## {dataset}\n")
        parts.append(
            "### Models\n\nMeans over n samples, and largest values (max); 95 % intervals: `models.csv`.\n\n"
            + markdown(short_models(models[models["dataset"] == dataset]))
        )
        board = short_leaderboard(table[table["dataset"] == dataset], controls)
        if len(board):
            parts.append(
                "### Methods\n\nMean score (rank interval); over several baselines: mean rank (lowest–highest rank)."
                "\n\n" + markdown(board)
            )
        compared = short_families(families[families["dataset"] == dataset], controls)
        if len(compared):
            parts.append(
                "### Families\n\nFor each column that may be compared across models: in how many rows (method ×"
                " settings, without controls) each of two families is better by the 95 % interval, on the"
                f" {_common(families, dataset)} samples that all models classify correctly. A family's score is the"
                " mean over its models; rows where a method does not apply to one of them are left out. Single"
                " models against each other are in `families.csv`.\n\n" + markdown(compared)
            )
        perturbed = robustness[robustness["dataset"] == dataset]
        short = short_robustness(perturbed, controls)
        if len(short):
            parts.append(introduce(perturbed, drawn.get(dataset, [])) + markdown(short))
        sound = short_health(health[health["dataset"] == dataset])
        if len(sound):
            parts.append(INTRODUCTION + markdown(sound))
    absent = cells[cells["status"] != "ok"]
    if len(absent):
        shown = (
            absent.groupby(["status", "note", "model"], sort=True)["key"]
            .count()
            .rename("cells")
            .reset_index()
        )
        parts.append("## Cells without scores\n\n" + markdown(shown))
    return "\n".join(parts)


def short_models(models: pd.DataFrame) -> pd.DataFrame:
    """The models with the means of their metrics."""
    hidden = [name for name in models if ":ci_" in str(name) or name in ("dataset", "weights", "note")]
    return models.drop(columns=hidden).map(_number)


def short_leaderboard(table: pd.DataFrame, controls: Iterable[str]) -> pd.DataFrame:
    """One row for each model and method; one column for each metric's plain score."""
    plain = table[(table["method"] != "") & ~table["metric"].astype(str).str.contains(".", regex=False)]
    rows = []
    for (model, method), group in plain.groupby(["model", "method"], sort=False, observed=True):
        row = {"model": model, "method": f"{method} †" if method in set(controls) else method}
        for metric, cells in group.groupby("metric", sort=False, observed=True):
            row[str(metric)] = _summary(cells)
        rows.append(row)
    return (
        pd.DataFrame(rows).sort_values(["model", "method"], kind="stable").fillna("")
        if rows
        else pd.DataFrame()
    )


def short_families(families: pd.DataFrame, controls: Iterable[str]) -> pd.DataFrame:
    """How often one whole family is better than another: a row for each metric column, a column for each pair."""
    sides = pd.concat(
        [
            families[[f"family_{side}", f"models_{side}"]].set_axis(["family", "models"], axis=1)
            for side in "ab"
        ]
    )
    whole = {str(family): max(group, key=len) for family, group in sides.groupby("family")["models"]}
    judged = families[
        (families["status"] == "ok")
        & ~families["method"].isin(list(controls))
        & families["higher_is_better"].isin(["True", "False"])
        & (families["models_a"] == families["family_a"].map(whole))
        & (families["models_b"] == families["family_b"].map(whole))
    ]
    rows = {}
    for (a, b, metric), group in judged.groupby(["family_a", "family_b", "metric"], observed=True):
        wins = group["better"].value_counts()
        entry = f"{wins.get(a, 0)} : {wins.get(b, 0)} ({wins.get('', 0)} undecided)"
        rows.setdefault(str(metric), {"column": metric})[f"{a} : {b}"] = entry
    return pd.DataFrame(list(rows.values())).fillna("")


def _common(families: pd.DataFrame, dataset: str) -> int:
    return int(families.loc[families["dataset"] == dataset, "n"].max())


def _summary(cells: pd.DataFrame) -> str:
    """One entry of the short leaderboard, from the rows of one metric under its different settings."""
    if (cells["status"] != "ok").any():
        return str(cells.loc[cells["status"] != "ok", "status"].iloc[0])
    if len(cells) == 1:
        row = cells.iloc[0]
        ranks = "" if pd.isna(row["rank"]) else f" ({row['rank_low']}–{row['rank_high']})"
        return _number(row["mean"]) + ranks
    if cells["rank"].isna().any():
        return ""
    rank = cells["rank"].astype(float)
    return f"#{rank.mean():.1f} ({rank.min():.0f}–{rank.max():.0f})"


def _number(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3g}"
    return "" if value is None or value is pd.NA else str(value)


def _conditions(folder: Path, cells: pd.DataFrame) -> str:
    path = folder / "run.json"
    conditions = read_json(path) if path.is_file() else {}
    known = ", ".join(f"{name} {value}" for name, value in conditions.items())
    counts = cells["status"].value_counts()
    states = ", ".join(
        f"{counts[name]} {name}" for name in ("ok", "failed", "inapplicable", "missing") if name in counts
    )
    return (f"Conditions: {known}. " if known else "") + f"Cells: {states}."
