"""``run``: computes, and writes the tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .as_json import as_json, echo_json
from .options import FIGURES, FOLDER, Interrupted, selection, working

if TYPE_CHECKING:
    from ..request import Request
    from ..runs.finished_run import Run


@click.command()
@selection
@click.option("--batch-size", default="auto", show_default=True, help="Changes speed and memory, not scores.")
@click.option("--out", type=FOLDER, help="Folder of the run.  [default: runs/SUITE]")
@click.option("--reuse", type=FOLDER, help="Take over the finished cells of this run.")
@click.option("--engine", default="local", show_default=True, help="local[workers=2], ray or slurm.")
@FIGURES
@click.option(
    "--keep",
    type=int,
    default=20,
    show_default=True,
    help="Keep the maps of the first N samples; 0 for none.",
)
@click.option(
    "--maps",
    is_flag=True,
    help="Compute only the maps that a finished or published run lacks.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print the plan and the cost of what is not finished; compute and write nothing.",
)
@as_json
def run(dry_run: bool, maps: bool, as_json: bool, **words: Any) -> int:  # noqa: ANN401
    """Run a suite, or a selection of your own, to leaderboards. The same command resumes."""
    from ..request import read_request
    from ..runs import maps as kept_maps
    from ..runs import running

    if dry_run and maps:
        raise click.UsageError("Give --maps or --dry-run, not both.")
    request = read_request(**words)
    if maps:
        kept = kept_maps.keep_maps(request, progress=sys.stderr.isatty())
        click.echo(f"{request.out}/: {kept}; xaiboard report {request.out} shows them")
        return 0
    if dry_run:
        try:
            _print_plan(request, as_json=as_json)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; a dry run computes no cells and writes nothing") from None
        return 0
    finished = running.run_request(request, progress=sys.stderr.isatty())
    if as_json:
        from ..report.documents import run_document

        echo_json(run_document(finished.folder, finished.results))
    else:
        click.echo(_said(finished))
    return 1 if len(finished.failed) else 0


def _print_plan(request: Request, *, as_json: bool) -> None:
    from ..listing.dry_run import describe_plan, plan_document
    from ..runs import planning

    with working(planning.PLANNING):
        plan = planning.make_plan(request)
        finished = planning.finished_cells(plan, request)
        promised = planning.promise_of(plan, finished, request)
    if as_json:
        echo_json(plan_document(plan, finished, promised))
    else:
        click.echo(describe_plan(plan, finished, promised))


def _said(finished: Run) -> str:
    """What is printed of a run; of one that changed nothing, what was printed when its files were made."""
    from ..store.made import note_said, read_said

    if finished.unchanged and (said := read_said(finished.folder)):
        return said
    from ..report.console import describe_run

    said = describe_run(finished.folder, finished.results)
    note_said(finished.folder, said)
    return said
