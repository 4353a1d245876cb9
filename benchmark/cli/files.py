"""``status`` and ``verify``: what is in the folder of a run."""

from __future__ import annotations

from pathlib import Path

import click

from .as_json import as_json, echo_json
from .options import FOLDER, say_of_computing, working


@click.command()
@click.argument("folder", type=FOLDER)
@as_json
def status(folder: Path, as_json: bool) -> None:
    """Show finished, missing, failed and inapplicable cells."""
    from ..report.console import describe_status
    from ..report.documents import status_document
    from ..store.consolidate import current_cells
    from ..store.records import Store

    store = Store(folder)
    with store.lock(reading=True):
        cells = current_cells(store)
    if as_json:
        echo_json(status_document(folder, cells))
    else:
        click.echo(describe_status(cells))
    say_of_computing(folder)


@click.command()
@click.argument("folder", type=FOLDER)
def verify(folder: Path) -> int:
    """Check that every file of a run is as it was written, and name those that are not."""
    from ..store.verify import verify as compare

    with working("reading files"):
        found = compare(folder)
    for problem in found.problems:
        click.echo(problem)
    click.echo(f"{folder}/: {found.intact} files are as they were written, {len(found.problems)} problems")
    if found.unsealed:
        click.echo(
            f"{found.unsealed} records stand in no table yet: only their own digests say that they are whole"
        )
    return 1 if found.problems else 0
