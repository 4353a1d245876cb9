"""``train``, ``audit`` and ``check``: networks, and components on them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from ..errors import XaiboardError
from .options import FOLDER, say


@click.command()
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
    from ..components.plugins import load_plugins
    from ..components.registry import models
    from ..request import find_device

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
        return say(f"{str(interrupt) or 'interrupted'}; continue with: {again}", 130)
    if not isinstance(path, Path):
        raise XaiboardError(f"the recipe of '{model}' must return the path of weights; got {path!r}")
    card = path.with_suffix(".json")
    click.echo(f"{path}\n{card.read_text()}" if card.is_file() else str(path))
    return 0


@click.command()
@click.argument("model")
@click.option("--dataset", default="digits", show_default=True)
@click.option("--plugin", "plugins", multiple=True, help="Python file that registers components.")
def audit(model: str, dataset: str, plugins: tuple[str, ...]) -> int:
    """Check a model: weights against card, accuracy, Lipschitz bounds, certificates."""
    from ..components.plugins import load_plugins
    from ..lipschitz.audit import describe_audit

    load_plugins(plugins)
    text, passed = describe_audit(model, dataset)
    click.echo(text)
    return 0 if passed else 1


@click.command()
@click.option("--plugin", "plugins", multiple=True, help="Python file that registers components.")
@click.option("--model", help="Examine this model instead: its outputs, its layers, the methods that apply.")
@click.option("--dataset", help="Data set whose images the model is given.  [default: the model's own]")
def check(plugins: tuple[str, ...], model: str | None, dataset: str | None) -> int:
    """Run the contract tests on components: a plug-in's, or all built-in ones; or examine a model."""
    if model is not None:
        from ..components.plugins import load_plugins
        from ..engine.model_check import describe_model

        load_plugins(plugins)
        text, passed = describe_model(model, dataset)
        click.echo(text)
        return 0 if passed else 1
    from ..contract import check as run_checks

    problems = run_checks(plugins, echo=click.echo)
    return 1 if problems else 0
