"""``leaderboard``, ``report``, ``compare`` and ``publish``: what follows from the scores of a run; no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .as_json import as_json, echo_json
from .options import FIGURES, FOLDER, load_sections, say_of_computing, working


@click.command("leaderboard")
@click.argument("folder", type=FOLDER)
@click.option("--plugin", "plugins", multiple=True, help="Python file that brings a section of the page.")
@FIGURES
@as_json
def rebuild(folder: Path, plugins: tuple[str, ...], figures: str, as_json: bool) -> None:
    """Rebuild the tables of a run from its records, or from cells.csv and scores.parquet alone; and the page of it."""
    from ..html_page.make import PAGE, write_report
    from ..report.console import describe_run
    from ..report.documents import run_document
    from ..report.results import Results
    from ..report.write import write
    from ..store.consolidate import consolidate
    from ..store.records import Store

    load_sections(plugins)
    store = Store(folder)
    results = Results(folder)
    with working("tables and figures") as line, store.lock():
        consolidate(store)
        write(folder, results, figures, line.set_postfix_str)
        if (folder / PAGE).is_file():  # it would show the tables of before
            line.set_postfix_str(PAGE)
            write_report(results)
    if as_json:
        echo_json(run_document(folder, results))
    else:
        click.echo(describe_run(folder, results))
    say_of_computing(folder)


@click.command()
@click.argument("folder", type=FOLDER)
@click.argument("other", required=False, type=FOLDER)
@click.option("--method", default="", help="The method that is compared with others, on each model.")
@click.option(
    "--model", default="", help="The model that is compared; with --method, the only one that counts."
)
@click.option("--against", default="all", show_default=True, help="Methods or models, by commas.")
@click.option("--on", default="", help="Patterns of metric columns: 'deletion,gini'.  [default: all]")
@click.option("--margin", type=float, help="Differences up to it do not matter, in units of the score.")
@click.option("--correct", type=click.Choice(["columns"]), help="Verdicts hold for all columns together.")
@click.option("--seeds", is_flag=True, help="Models stand for their recipes: all seeds of each take part.")
@click.option("--out", type=FOLDER, help="Folder for compare.csv.  [default: FOLDER]")
@as_json
def compare(folder: Path, other: Path | None, out: Path | None, as_json: bool, **words: Any) -> None:  # noqa: ANN401
    """Is it better? A row for each column: difference, interval, verdict, and how many samples would settle it.

    With OTHER the two runs are joined on what is equal in both.
    """
    from ..report.comparison.ask import ask, read_question
    from ..report.comparison.write import describe, write_comparison
    from ..report.documents import comparison_document

    with working("comparing"):
        found = ask(folder, other, read_question(**words))
    paths = write_comparison(found, out or folder)
    if as_json:
        echo_json(comparison_document(found, paths))
    else:
        click.echo(describe(found) + "\n" + ", ".join(map(str, paths)))


@click.command()
@click.argument("folder", type=FOLDER)
@click.argument("target", type=FOLDER)
@click.option(
    "--without", type=click.Path(path_type=Path), help="TOML file of rules that say what is left out."
)
@click.option(
    "--license", "licence", default="", help="Of the copy: its SPDX name or address, for croissant.json."
)
@click.option(
    "--scores", "scores_alone", is_flag=True, help="Scores and cells alone; tables and page can be made anew."
)
@click.option("--plugin", "plugins", multiple=True, help="Python file that brings a section of the page.")
def publish(
    folder: Path,
    target: Path,
    without: Path | None,
    licence: str,
    scores_alone: bool,
    plugins: tuple[str, ...],
) -> None:
    """Write the copy of a run that a repository can hold: scores, tables, page, pictures for a screen.

    TARGET may be an earlier copy, which is replaced. Rules in the file --without are those of the tables
    [[name of TARGET]].
    """
    from ..html_page.make import write_report
    from ..report.left_out import read_rules
    from ..report.publish import publish as write_copy
    from ..report.results import Results
    from ..store.consolidate import consolidate
    from ..store.records import Store

    load_sections(plugins)
    rules = read_rules(without, target.name) if without else []
    store = Store(folder)
    with working("tables and figures"), store.lock():
        consolidate(store)
        names = write_copy(folder, target, rules, licence, scores_alone=scores_alone)
        if not scores_alone:
            names = sorted({*names, write_report(Results(target)).name})
    click.echo(f"{target}/: {', '.join(names)}")


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--open", "shown", is_flag=True, help="Show it in the browser.")
@click.option("--plugin", "plugins", multiple=True, help="Python file that brings a section of the page.")
def report(folder: Path, shown: bool, plugins: tuple[str, ...]) -> None:
    """Write report.html: the tables of a run to look at, sort and compare, with maps and figures; one file."""
    from ..html_page.make import write_report
    from ..report.results import Results
    from ..store.records import Store

    load_sections(plugins)
    with working("the page"), Store(folder).lock():
        path = write_report(Results(folder))
    click.echo(str(path))
    if shown:
        click.launch(str(path))
    say_of_computing(folder)
