"""``list``: what can be selected."""

from __future__ import annotations

import click

from ..components.builtin import has_entry_points
from .as_json import as_json, echo_json

KINDS = ("models", "methods", "metrics", "perturbations", "datasets", "suites", "claims")


@click.command("list")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--plugin", "plugins", multiple=True, help="Python file that registers components.")
@as_json
@click.option(
    "--write", is_flag=True, hidden=True, help="Generate the catalogue of built-in components anew."
)
def list_components(
    kind: str | None, name: str | None, plugins: tuple[str, ...], write: bool, as_json: bool
) -> None:
    """List what can be selected; with NAME (or a pattern) all that is known of it: settings, columns, cost, source.

    KIND is models, methods, metrics, perturbations, datasets, suites or claims, and need not stand before a NAME.
    """
    from ..claims.entries import claim_entries, describe_claim_entry
    from ..listing.catalogue import read_catalogue, read_suites, write_catalogue
    from ..listing.describe import describe_entry, describe_kind, find

    if write:
        if kind or name or plugins:
            raise click.UsageError("--write writes the catalogue of all built-in components; give it alone.")
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
    catalogue = {**catalogue, "claims": claim_entries()}
    if kind not in KINDS and name is None:
        kind, name = None, kind
    found = find(catalogue, kind, name)
    if as_json:
        echo_json(found)
    elif name is None:
        click.echo(
            "\n".join(describe_kind(found, each, columns=kind is not None) for each in found), nl=False
        )
        click.echo("\nAll of one component: xaiboard list NAME")
    else:
        click.echo(
            "\n".join(
                describe_claim_entry(entry) if each == "claims" else describe_entry(entry, each)
                for each in found
                for entry in found[each]
            ),
            nl=False,
        )
