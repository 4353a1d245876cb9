"""What several commands share: types of arguments, the options of a selection, what is said on the error stream."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..components.builtin import has_entry_points
from ..errors import XaiboardError
from ..report.drawing.formats import FORMATS

if TYPE_CHECKING:
    from ..toolkit.progress import Bar


class Interrupted(Exception):  # noqa: N818 - no error: the user wants it
    """The user ended a command, of which there is something else to say than usual: the message says it."""


class _Folder(click.ParamType):
    """A folder that can exist; it need not."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        from ..toolkit.files import user_folder

        try:
            return user_folder(value)
        except XaiboardError as error:
            self.fail(f"{error}.", param, ctx)


FOLDER = _Folder()


FIGURES = click.option(
    "--figures", default="png", show_default=True, type=click.Choice(FORMATS), help="Draw figures in it, too."
)
"""The option that asks for figures that go into a paper."""


def selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what is run."""
    options = [
        click.option("--suite", default="quick", show_default=True, help="Named selection, or a .toml file."),
        click.option("--dataset", help="Data set, or image-folder:PATH."),
        click.option("--models", help="Patterns 'lip*,cnn.standard', or 'timm:resnet18.a1_in1k'."),
        click.option("--methods", help="Patterns with settings: 'saliency,integrated_gradients[steps=64]'."),
        click.option("--metrics", help="Patterns with settings: 'deletion[baseline=mean],gini'."),
        click.option("--perturbations", help="Patterns with settings: 'sign_noise[eps=0.05]'."),
        click.option("--samples", type=int, help="Number of test samples."),
        click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random number."),
        click.option(
            "--target", default="prediction", show_default=True, help="Explained class: prediction or label."
        ),
        click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda."),
        click.option("--dtype", default="float32", show_default=True, help="float32 or float64."),
        click.option("--plugin", "plugins", multiple=True, help="Python file that registers components."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def load_sections(plugins: tuple[str, ...]) -> None:
    """Loads what may bring sections of the page: files, and installed plug-ins where there is the torch they need."""
    if not plugins and not has_entry_points():
        return
    from ..components.plugins import load_plugins

    try:
        load_plugins(plugins)
    except ModuleNotFoundError as error:
        if plugins or error.name != "torch":
            raise
        say("torch is not installed, so sections of installed plug-ins are left out", 0)


def working(name: str) -> AbstractContextManager[Bar]:
    """A line on the terminal that moves while something takes its time; ``set_postfix_str`` says more."""
    from ..toolkit.progress import stage

    return stage(name, shown=sys.stderr.isatty())


def say_of_computing(folder: Path) -> None:
    """Says that tables are not the last word, where a run is going on."""
    from ..store.locks import is_computing

    if is_computing(folder):
        say(f"a run is going on in '{folder}': its missing cells follow, and it writes the tables anew", 0)


def say(sentence: str, status: int) -> int:
    """Says a sentence on the error stream; the exit status."""
    click.echo(f"xaiboard: {sentence}", err=True)
    return status
