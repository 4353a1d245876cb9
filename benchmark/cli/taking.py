"""``export``, ``cite`` and ``submit-check``: what leaves a run for papers, other programs and the published tables."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FOLDER


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--format", "kind", required=True, type=click.Choice(["csv", "parquet", "latex", "markdown"]))
@click.option("--rows", default="", help="Patterns of methods, in the order of the rows.  [default: all]")
@click.option("--columns", default="", help="Patterns of metric columns, in their order.  [default: all]")
@click.option("--model", default="", help="Patterns of models.  [default: all]")
@click.option("--dataset", default="", help="Patterns of data sets.  [default: all]")
@click.option("--intervals", default="none", show_default=True, help="Beside each mean: none, ci or rank.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: the terminal]")
def export(folder: Path, kind: str, out: Path | None, **words: str) -> None:
    """Show or write a leaderboard, or a part of it, as a table for papers and other programs; no torch.

    A row for each method on each model, a column for each metric column. LaTeX needs the package booktabs.
    """
    from ..report.export.grid import read_grid
    from ..report.export.selection import read_selection
    from ..report.export.write import describe, write

    grid = read_grid(folder, read_selection(**words))
    if out is None:
        click.echo(describe(grid, kind), nl=False)
    else:
        write(grid, kind, out)
        click.echo(out)


@click.command()
@click.argument("folder", type=FOLDER)
def cite(folder: Path) -> None:
    """Print BibTeX of every method, metric, model recipe, perturbation and data set that ran, and of xaiboard."""
    from ..listing.references import bibliography, with_builtin
    from ..report.ran import components_that_ran
    from ..report.results import Results

    results = Results(folder)
    sources = with_builtin(components_that_ran(results), results.glossary.sources)
    click.echo(bibliography(sources), nl=False)


@click.command("submit-check")
@click.argument("folder", type=FOLDER)
@click.option(
    "--against",
    type=FOLDER,
    default=Path("results/quick"),
    show_default=True,
    help="Published results of the suite.",
)
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File that registers the method; it is not imported, its digest is printed.",
)
def submit_check(folder: Path, against: Path, plugins: tuple[Path, ...]) -> int:
    """Check that the rows of your method can be added to published results, and print what a maintainer needs.

    Each problem is a sentence, and the exit status is 1 if there is one.
    """
    from ..report.results import Results
    from ..report.submission.check import problems
    from ..report.submission.describe import describe

    if not (against / "scores.parquet").is_file():
        raise click.UsageError(f"No published results in '{against}'; name their folder with --against.")
    mine, published = Results(folder), Results(against)
    found = problems(mine, published, plugins)
    for sentence in found:
        click.echo(sentence)
    if not found:
        click.echo(describe(mine, published, plugins), nl=False)
    return 1 if found else 0
