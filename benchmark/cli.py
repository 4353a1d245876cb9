"""The command line: runs, lists, tables, comparisons, trainings, checks."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .components.builtin import has_entry_points
from .errors import XaiboardError, XaiboardWarning

KINDS = ("models", "methods", "metrics", "perturbations", "datasets", "suites")


class _Folder(click.ParamType):
    """A folder that can exist; it need not."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        from .toolkit.files import user_folder

        try:
            return user_folder(value)
        except XaiboardError as error:
            self.fail(f"{error}.", param, ctx)


FOLDER = _Folder()


def main() -> None:
    """Entry point: a user's mistake is one sentence and exit status 2; a failed cell is exit status 1."""
    warnings.showwarning = _Warnings().show
    try:
        status = commands.main(prog_name="xaiboard", standalone_mode=False)
    except XaiboardError as error:
        sys.exit(_say(str(error), 2))
    except click.UsageError as error:
        sys.exit(_say(f"{error.format_message()} See 'xaiboard {_command(error)}--help'.", 2))
    except (KeyboardInterrupt, click.Abort):
        sys.exit(_say("interrupted; finished cells are kept, and the same command resumes", 130))
    sys.exit(status if isinstance(status, int) else 0)


@click.group(
    no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="xaiboard")
def commands() -> None:
    """Benchmark explanations of image classifiers: models × methods × metrics."""


def _selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what is run."""
    options = [
        click.option("--suite", default="quick", show_default=True, help="Named selection, or a .toml file."),
        click.option("--dataset", help="Data set, or image-folder:PATH."),
        click.option("--models", help="Patterns: 'lip*,cnn.standard'."),
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


@commands.command()
@_selection
@click.option("--batch-size", default="auto", show_default=True, help="Changes speed and memory, not scores.")
@click.option("--out", type=FOLDER, help="Folder of the run.  [default: runs/SUITE]")
@click.option("--reuse", type=FOLDER, help="Take over the finished cells of this run.")
@click.option("--engine", default="local", show_default=True, help="Where cells are computed.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print the plan and the cost of what is not finished; compute and write nothing.",
)
def run(dry_run: bool, **words: Any) -> int:  # noqa: ANN401
    """Run a suite, or a selection of your own, to leaderboards. The same command resumes."""
    from . import api
    from .request import read_request

    request = read_request(**words)
    if dry_run:
        from .listing.dry_run import describe_plan

        plan = api.make_plan(request)
        click.echo(describe_plan(plan, api.finished_cells(plan, request)))
        return 0
    from .report.console import describe_run

    finished = api.run_request(request, progress=sys.stderr.isatty())
    click.echo(describe_run(finished.folder, finished.results))
    return 1 if len(finished.failed) else 0


@commands.command("list")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.argument("name", required=False)
@click.option("--plugin", "plugins", multiple=True, help="Python file that registers components.")
@click.option(
    "--write", is_flag=True, hidden=True, help="Generate the catalogue of built-in components anew."
)
def list_components(kind: str | None, name: str | None, plugins: tuple[str, ...], write: bool) -> None:
    """List what can be selected, with settings and sources; with NAME (or a pattern) all that is known of it."""
    from .listing.catalogue import read_catalogue, read_suites, write_catalogue
    from .listing.describe import describe_entries, describe_kind

    if write:
        from .engine.inventory import inventory
        from .store.builtin_ranges import write_builtin_ranges

        found = inventory()
        click.echo(write_catalogue(found))
        click.echo(write_builtin_ranges(found["metrics"]))
        return
    catalogue = read_catalogue()
    if plugins or has_entry_points():
        from .components.plugins import load_plugins
        from .engine.inventory import inventory

        load_plugins(plugins)
        catalogue = {**inventory(), **read_suites()}
    if kind and name is not None:
        click.echo(describe_entries(catalogue, kind, name))
        return
    for each in [kind] if kind else KINDS:
        click.echo(describe_kind(catalogue, each))


@commands.command("leaderboard")
@click.argument("folder", type=FOLDER)
@click.option("--plugin", "plugins", multiple=True, help="Python file that brings a section of the page.")
def rebuild(folder: Path, plugins: tuple[str, ...]) -> None:
    """Rebuild the tables of a run from its records, or from cells.csv and scores.parquet alone."""
    from .report.console import describe_files
    from .report.results import Results
    from .report.write import write
    from .store.consolidate import consolidate
    from .store.records import Store

    _load_sections(plugins)
    store = Store(folder)
    with store.lock():
        consolidate(store)
        write(folder, Results(folder))
    click.echo(describe_files(folder))
    _say_of_computing(folder)


@commands.command()
@click.argument("folder", type=FOLDER)
@click.argument("other", required=False, type=FOLDER)
@click.option("--method", default="", help="The method that is compared with others, on each model.")
@click.option(
    "--model", default="", help="The model that is compared; with --method, the only one that counts."
)
@click.option("--against", default="all", show_default=True, help="Methods or models, by commas.")
@click.option("--on", default="", help="Patterns of metric columns: 'deletion,gini'.  [default: all]")
@click.option("--margin", type=float, help="Differences up to it do not matter, in units of the score.")
@click.option("--correct", type=click.Choice(["columns"]), help="Verdicts hold for all columns together.")
@click.option("--seeds", is_flag=True, help="Models stand for their recipes: all seeds of each take part.")
@click.option("--out", type=FOLDER, help="Folder for compare.csv.  [default: FOLDER]")
def compare(folder: Path, other: Path | None, out: Path | None, **words: Any) -> None:  # noqa: ANN401
    """Is it better? A row for each column: difference, interval, verdict, and how many samples would settle it.

    With OTHER the two runs are joined on what is equal in both.
    """
    from .report.comparison.ask import ask, read_question
    from .report.comparison.write import describe, write_comparison

    found = ask(folder, other, read_question(**words))
    paths = write_comparison(found, out or folder)
    click.echo(describe(found) + "\n" + ", ".join(map(str, paths)))


@commands.command()
@click.argument("folder", type=FOLDER)
@click.argument("target", type=FOLDER)
@click.option(
    "--without", type=click.Path(path_type=Path), help="TOML file of rules that say what is left out."
)
@click.option("--plugin", "plugins", multiple=True, help="Python file that brings a section of the page.")
def publish(folder: Path, target: Path, without: Path | None, plugins: tuple[str, ...]) -> None:
    """Write the copy of a run that a repository can hold: scores, tables, page, pictures for a screen.

    TARGET may be an earlier copy, which is replaced. Rules in the file --without are those of the tables
    [[name of TARGET]].
    """
    from .report.left_out import read_rules
    from .report.publish import publish as write_copy
    from .store.consolidate import consolidate
    from .store.records import Store

    _load_sections(plugins)
    rules = read_rules(without, target.name) if without else []
    store = Store(folder)
    with store.lock():
        consolidate(store)
        names = write_copy(folder, target, rules)
    click.echo(f"{target}/: {', '.join(names)}")


def _load_sections(plugins: tuple[str, ...]) -> None:
    """Loads what may bring sections of the page: files, and installed plug-ins where there is the torch they need."""
    if not plugins and not has_entry_points():
        return
    from .components.plugins import load_plugins

    try:
        load_plugins(plugins)
    except ModuleNotFoundError as error:
        if plugins or error.name != "torch":
            raise
        _say("torch is not installed, so sections of installed plug-ins are left out", 0)


@commands.command()
@click.argument("folder", type=FOLDER)
def status(folder: Path) -> None:
    """Show finished, missing, failed and inapplicable cells."""
    from .report.console import describe_status
    from .store.consolidate import current_cells
    from .store.records import Store

    store = Store(folder)
    with store.lock(reading=True):
        cells = current_cells(store)
    click.echo(describe_status(cells))
    _say_of_computing(folder)


@commands.command()
@click.argument("folder", type=FOLDER)
def verify(folder: Path) -> int:
    """Check that every file of a run is as it was written, and name those that are not."""
    from .store.verify import verify as compare

    found = compare(folder)
    for problem in found.problems:
        click.echo(problem)
    click.echo(f"{folder}/: {found.intact} files are as they were written, {len(found.problems)} problems")
    if found.unsealed:
        click.echo(
            f"{found.unsealed} records stand in no table yet: only their own digests say that they are whole"
        )
    return 1 if found.problems else 0


def _say_of_computing(folder: Path) -> None:
    """Says that tables are not the last word, where a run is going on."""
    from .store.locks import is_computing

    if is_computing(folder):
        _say(f"a run is going on in '{folder}': its missing cells follow, and it writes the tables anew", 0)


@commands.command()
@click.argument("model")
@click.option("--dataset", required=True, help="Data set, or image-folder:PATH.")
@click.option("--epochs", type=click.IntRange(min=1), help="Another number than the recipe's.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Another one than the recipe's.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("--out", type=FOLDER, default=Path("weights"), show_default=True)
@click.option("--resume", is_flag=True, help="Continue an unfinished training.")
@click.option("--plugin", "plugins", multiple=True, help="Python file that registers components.")
def train(
    model: str,
    dataset: str,
    epochs: int | None,
    seed: int | None,
    device: str,
    out: Path,
    resume: bool,
    plugins: tuple[str, ...],
) -> int:
    """Train a registered model by its recipe; writes weights and their card.

    An interrupted training leaves OUT/MODEL@DATASET.checkpoint, from which --resume continues.
    """
    from .components.plugins import load_plugins
    from .components.registry import models
    from .request import find_device

    load_plugins(plugins)
    entry = models[model]
    if entry.recipe is None:
        known = ", ".join(sorted(name for name, other in models.items() if other.recipe))
        raise XaiboardError(f"model '{model}' has no recipe; there are recipes for: {known}")
    settings = {"out": out, "epochs": epochs, "seed": seed, "device": find_device(device)}
    # Plug-ins' recipes need not know how to resume.
    settings |= {"resume": True} if resume else {}
    try:
        path = entry.recipe(model, dataset, **settings)
    except KeyboardInterrupt as interrupt:
        again = shlex.join(["xaiboard", *sys.argv[1:], *([] if resume else ["--resume"])])
        return _say(f"{str(interrupt) or 'interrupted'}; continue with: {again}", 130)
    if not isinstance(path, Path):
        raise XaiboardError(f"the recipe of '{model}' must return the path of weights; got {path!r}")
    card = path.with_suffix(".json")
    click.echo(f"{path}\n{card.read_text()}" if card.is_file() else str(path))
    return 0


@commands.command()
@click.argument("model")
@click.option("--dataset", default="digits", show_default=True)
@click.option("--plugin", "plugins", multiple=True, help="Python file that registers components.")
def audit(model: str, dataset: str, plugins: tuple[str, ...]) -> int:
    """Check a model: weights against card, accuracy, Lipschitz bounds, certificates."""
    from .components.plugins import load_plugins
    from .lipschitz.audit import describe_audit

    load_plugins(plugins)
    text, passed = describe_audit(model, dataset)
    click.echo(text)
    return 0 if passed else 1


@commands.command()
@click.option("--plugin", "plugins", multiple=True, help="Python file that registers components.")
@click.option("--model", help="Examine this model instead: its outputs, its layers, the methods that apply.")
@click.option("--dataset", help="Data set whose images the model is given.  [default: the model's own]")
def check(plugins: tuple[str, ...], model: str | None, dataset: str | None) -> int:
    """Run the contract tests on components: a plug-in's, or all built-in ones; or examine a model."""
    if model is not None:
        from .components.plugins import load_plugins
        from .engine.model_check import describe_model

        load_plugins(plugins)
        text, passed = describe_model(model, dataset)
        click.echo(text)
        return 0 if passed else 1
    from .contract import check as run_checks

    problems = run_checks(plugins, echo=click.echo)
    return 1 if problems else 0


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
            _say(str(warning), 0)


def _say(sentence: str, status: int) -> int:
    click.echo(f"xaiboard: {sentence}", err=True)
    return status


def _command(error: click.UsageError) -> str:
    name = error.ctx.info_name if error.ctx and error.ctx.parent else ""
    return f"{name} " if name else ""
