"""Writes a run's tables, its Markdown page and its curve figures; no torch, so that a laptop can rebuild them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from . import leaderboard
from .attribution_figures import draw_against_eps, draw_against_window, draw_lens_and_topk
from .attribution_page import introduce, short_robustness
from .attribution_robustness import attribution_robustness
from .correlations import draw_correlations, metric_correlations
from .curves import draw_curves
from .health import metric_health
from .health_page import INTRODUCTION, short_health
from .names import file_name
from .robustness import draw_robustness
from .store import read_json, write_file
from .tables import write_csv

if TYPE_CHECKING:
    from .plan import Cell, Plan

_METHODS = """\
Ranks compare the methods of one model, 1 is best; a rank interval holds the ranks that a method cannot be told
apart from (paired bootstrap over samples, 95 %, Holm-corrected). Controls are marked †: a method that does not
beat them explains nothing. Raw deletion and insertion areas are comparable within one model only; the columns
that compare models are in `families.csv`. All columns with intervals: `leaderboard.csv`.
"""


def write(folder: Path, cells: pd.DataFrame, scores: pd.DataFrame) -> None:
    """Writes every table that follows from the cells and scores, the page, and the curves and radii as figures."""
    table = leaderboard.leaderboard(cells, scores)
    families = leaderboard.families(cells, scores)
    models = leaderboard.models(cells, scores)
    health, blurred = metric_health(cells, scores)
    controls = set(cells.loc[cells["control"].astype(bool), "method"])
    correlations = metric_correlations(table, health, controls)
    for name, content in (
        ("leaderboard.csv", table),
        ("leaderboard_wide.csv", leaderboard.wide(table)),
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


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table, aligned so that it reads as plain text too."""
    if table.empty:
        return "(none)\n"
    lines = [
        list(map(str, table.columns)),
        *([_cell(value) for value in row] for row in table.itertuples(index=False)),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(f"| {' | '.join(_padded(line, widths))} |\n" for line in lines)


def _common(families: pd.DataFrame, dataset: str) -> int:
    return int(families.loc[families["dataset"] == dataset, "n"].max())


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|")


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [text.ljust(width) for text, width in zip(line, widths, strict=True)]


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


def describe_plan(plan: Plan, finished: Collection[Cell] = ()) -> str:
    """What ``--dry-run`` prints: cells with their passes, or why they need none, and the total."""
    done = {cell.key for cell in finished}
    notes = {cell.key: cell.reason or ("finished" if cell.key in done else "") for cell in plan.cells}
    todo = [cell for cell in plan.cells if not notes[cell.key]]
    rows = []
    for cell in plan.cells:
        note = notes[cell.key]
        cost = None if note else plan.cost(cell)
        rows.append(
            {
                "model": cell.model.name,
                "method": cell.method.label if cell.method else "",
                "metric": cell.metric.label,
                "perturbation": cell.perturbation.label if cell.perturbation else "",
                "forward": "" if cost is None else f"{cost.forward:.0f}",
                "backward": "" if cost is None else f"{cost.backward:.0f}",
                "note": note or ("" if cost else "raised when it was tried on one sample"),
            }
        )
    total, inapplicable = plan.total(todo), sum(bool(cell.reason) for cell in plan.cells)
    return (
        markdown(pd.DataFrame(rows))
        + f"\n{plan.dataset}: {len(plan.data)} samples, {len(todo)} cells to compute,"
        + (f" {len(done)} finished," if done else "")
        + f" {inapplicable} inapplicable; {total.forward:.3g} forward and {total.backward:.3g}"
        + " backward passes in all, what cells share counted once (a cell's own row counts it)"
    )


def describe_run(folder: Path, cells: pd.DataFrame, table: pd.DataFrame, models: pd.DataFrame) -> str:
    """What ``xaiboard run`` prints at the end: the short leaderboard, failures, and where the files are."""
    controls = set(cells.loc[cells["control"].astype(bool), "method"])
    parts = []
    for dataset in sorted(set(cells["dataset"])):
        parts.append(f"{dataset}: models\n" + markdown(short_models(models[models["dataset"] == dataset])))
        board = short_leaderboard(table[table["dataset"] == dataset], controls)
        if len(board):
            parts.append(
                f"{dataset}: methods; mean score (rank interval within the model), or over several baselines"
                " #mean rank (lowest–highest); † control\n" + markdown(board)
            )
    failed = cells[cells["status"] == "failed"]
    if len(failed):
        parts.append(
            f"{len(failed)} cells failed:\n" + markdown(failed[["model", "method", "metric", "note"]])
        )
    parts.append(describe_files(folder))
    return "\n".join(parts)


def describe_status(cells: pd.DataFrame) -> str:
    """Counts of cells by status, and each cell that is missing, failed or inapplicable."""
    counts = cells["status"].value_counts()
    text = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("ok", "missing", "failed", "inapplicable"))
    absent = cells[cells["status"] != "ok"]
    shown = absent[["status", "dataset", "model", "method", "metric", "settings", "note"]].sort_values(
        "status"
    )
    return f"{len(cells)} cells: {text}" + ("\n" + markdown(shown) if len(absent) else "")


def describe_files(folder: Path) -> str:
    """Where the tables and figures are."""
    names = [
        "leaderboard.md",
        "leaderboard.csv",
        "leaderboard_wide.csv",
        "families.csv",
        "models.csv",
        "health.csv",
        "blurred.csv",
        "metric_correlations.csv",
        "robustness.csv",
        "cells.csv",
    ]
    names += ["scores.parquet", "curves.csv", *sorted(path.name for path in folder.glob("*.png"))]
    return f"{folder}/: " + ", ".join(name for name in names if (folder / name).is_file())
