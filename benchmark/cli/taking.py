"""``export``, ``cite`` and ``submit-check``: what leaves a run for papers, other programs and the published tables."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FOLDER


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
