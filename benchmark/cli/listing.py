"""``list``: what can be selected."""

from __future__ import annotations

import click

from ..components.builtin import has_entry_points

KINDS = ("models", "methods", "metrics", "perturbations", "datasets", "suites")


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.argument("name", required=False)
@click.option("--plugin", "plugins", multiple=True, help="Python file that registers components.")
@click.option(
    "--write", is_flag=True, hidden=True, help="Generate the catalogue of built-in components anew."
)
def list_components(kind: str | None, name: str | None, plugins: tuple[str, ...], write: bool) -> None:
    """List what can be selected, with settings and sources; with NAME (or a pattern) all that is known of it."""
    from ..listing.catalogue import read_catalogue, read_suites, write_catalogue
    from ..listing.describe import describe_entries, describe_kind

    if write:
        from ..engine.inventory import inventory
        from ..store.builtin_ranges import write_builtin_ranges

        found = inventory()
        click.echo(write_catalogue(found))
        click.echo(write_builtin_ranges(found["metrics"]))
        return
    catalogue = read_catalogue()
    if plugins or has_entry_points():
        from ..components.plugins import load_plugins
        from ..engine.inventory import inventory

        load_plugins(plugins)
        catalogue = {**inventory(), **read_suites()}
    if kind and name is not None:
        click.echo(describe_entries(catalogue, kind, name))
        return
    for each in [kind] if kind else KINDS:
        click.echo(describe_kind(catalogue, each))
