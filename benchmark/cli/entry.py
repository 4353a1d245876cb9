"""The entry point, and what it does with mistakes and warnings."""

from __future__ import annotations

import sys
import warnings

import click

from ..errors import XaiboardError, XaiboardWarning
from .claims import claims
from .files import status, verify
from .listing import list_components
from .networks import audit, check, train
from .options import Interrupted, say
from .running import run
from .tables import compare, publish, rebuild, report
from .taking import cite, export, submit_check


def main() -> None:
    """Entry point: a user's mistake is one sentence and exit status 2; a failed cell is exit status 1."""
    warnings.showwarning = _Warnings().show
    try:
        exit_status = commands.main(prog_name="xaiboard", standalone_mode=False)
    except XaiboardError as error:
        sys.exit(say(str(error), 2))
    except click.UsageError as error:
        said = " ".join(error.format_message().split())  # click lists choices a line each
        sys.exit(say(f"{said} See 'xaiboard {_command_of(error)}--help'.", 2))
    except Interrupted as end:
        sys.exit(say(str(end), 130))
    except (KeyboardInterrupt, click.Abort):
        sys.exit(say("interrupted; finished cells are kept, and the same command resumes", 130))
    sys.exit(exit_status if isinstance(exit_status, int) else 0)


@click.group(
    no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="xaiboard")
def commands() -> None:
    """Benchmark explanations of image classifiers: models × methods × metrics."""


for _command in (
    run,
    list_components,
    rebuild,
    report,
    compare,
    claims,
    publish,
    export,
    cite,
    submit_check,
    status,
    verify,
    train,
    audit,
    check,
):
    commands.add_command(_command)


class _Warnings:
    """Shows our own warnings as sentences, each once a command, and others as Python does."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def show(
        self, warning: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
    ) -> None:
        if not issubclass(category, XaiboardWarning):
            click.echo(warnings.formatwarning(warning, category, filename, lineno), err=True, nl=False)
        elif str(warning) not in self.said:
            self.said.add(str(warning))
            say(str(warning), 0)


def _command_of(error: click.UsageError) -> str:
    name = error.ctx.info_name if error.ctx and error.ctx.parent else ""
    return f"{name} " if name else ""
