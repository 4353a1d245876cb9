"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import click
from xaiboard.benchmark.cli import commands

from .tables import table

ARGUMENTS = {
    "MODEL": "name of a registered model",
    "FOLDER": "folder of a run",
    "OTHER": "folder of a second run, joined with the first on what is equal in both",
    "TARGET": "folder of the published copy; an earlier copy there is replaced",
    "KIND": "one of the kinds; all of them if none is given, and before a name it may be left out",
    "NAME": "name of a component or claim, or a pattern",
    "RUNS": "folders of runs, which count as one; those below `results/` if none is given",
}
"""What the positional arguments mean; click has no words for them."""


def command_page() -> str:
    """Usage, help and options of each command."""
    top = click.Context(commands, info_name="xaiboard")
    return "\n".join(_describe(commands.commands[name], name, top) for name in commands.list_commands(top))


def _describe(command: click.Command, called: str, top: click.Context) -> str:
    context = click.Context(command, info_name=called, parent=top, max_content_width=100)
    usage = command.get_usage(context).removeprefix("Usage: ")
    rows = []
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Argument):
            name = parameter.human_readable_name
            rows.append((f"`{name}`", ARGUMENTS[name]))
        elif record := parameter.get_help_record(context):
            rows.append((f"`{record[0]}`", record[1]))
    return (
        f"(command-{called})=\n## `xaiboard {called}`\n\n```text\n{usage}\n```\n\n{_help(command)}\n\n"
        + table(("Argument or option", "Meaning"), [row for row in rows if "--help" not in row[0]])
    )


def _help(command: click.Command) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
