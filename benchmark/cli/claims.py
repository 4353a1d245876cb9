"""``claims``: whether what papers claim holds here; no torch."""

from __future__ import annotations

from pathlib import Path

import click

from .as_json import as_json, echo_json
from .options import FOLDER, working


@click.command()
@click.argument("runs", nargs=-1, type=FOLDER)
@click.option("--claims", "file", type=click.Path(path_type=Path), help="TOML file of claims of your own.")
@click.option("--only", default="", help="Show one claim with all its parts, and write nothing.")
@click.option(
    "--out", type=FOLDER, help="Folder for claims.csv.  [default: the run, or 'claims' beside several]"
)
@as_json
def claims(runs: tuple[Path, ...], file: Path | None, only: str, out: Path | None, as_json: bool) -> None:
    """Do the claims hold? A verdict on each, from the scores of all trained networks, against a margin declared before.

    Without RUNS, the runs below results/ here.
    """
    from ..claims.evaluate import judge_claims
    from ..claims.table import claims_table, parts_table
    from ..claims.write import describe_claim, folder_of, overview, write_claims

    with working("judging"):
        found = judge_claims(runs, file)
    text = describe_claim(found, only) if only else overview(found)
    paths = [] if only else write_claims(found, out or folder_of(runs))
    if as_json:
        rows, parts = claims_table(found), parts_table(found)
        chosen = {only} if only else set(rows["id"])
        tables = {"claims": rows[rows["id"].isin(chosen)], "parts": parts[parts["id"].isin(chosen)]}
        echo_json({**tables, "files": paths})
    else:
        click.echo(text + ("\n" + ", ".join(map(str, paths)) if paths else ""), nl=bool(paths))
