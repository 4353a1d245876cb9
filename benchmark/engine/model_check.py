"""What ``xaiboard check --model`` says of a network: its examination, and which methods check out on it."""

from __future__ import annotations

from collections.abc import Iterator

from ..components.choice import choose
from ..components.registry import methods
from ..subjects import trained_models
from ..subjects.datasets import load_data
from ..subjects.examination import examine, examined
from ..subjects.findings import Examination
from ..toolkit.text_table import text_table
from .applies import reason_on

FOUND = "finite, the same twice, and the same alone and in a batch"


def describe_model(name: str, dataset: str | None) -> tuple[str, bool]:
    """The text on a registered model, and whether it can be judged.

    Args:
        name: of the model.
        dataset: from which two images are taken; None for the model's own, or ``digits``.

    Raises:
        XaiboardError: an unknown model or data set, or weights that cannot be loaded.
    """
    entry = trained_models.find_model(name)
    dataset = dataset or entry.dataset or "digits"
    data = load_data(dataset, samples=2)
    trained = trained_models.load(entry, dataset, data.shape, len(data.classes))
    found = examine(trained.module, data.x)
    reason = found.reason
    if not reason and found.classes != len(data.classes):
        reason = f"it has {found.classes} logits, and {dataset} has {len(data.classes)} classes"
    lines = [f"{name} on {dataset}, images of {' x '.join(map(str, data.shape))}"]
    lines.append(f"REFUSED: {reason}" if reason else f"logits: {found.classes}, {FOUND}")
    lines += _executed(found)
    if reason:
        return "\n".join(lines), False
    trained = examined(trained, data.x)
    rows = []
    for method in sorted(methods):
        choice = choose(methods[method])
        if methods[method].applies or methods[method].verify:
            against = reason_on(choice, trained.module, data.x, data.label)
            rows.append((method, against or "right by its own check"))
    return "\n".join([*lines, text_table(("method", "on this model"), rows).rstrip()]), True


def _executed(found: Examination) -> Iterator[str]:
    """Lines on the layers that were executed, in order."""
    if not found.gradient and not found.reason:
        yield "gradient: none; methods that need one fail"
    if found.opaque:
        yield f"hooks: none inside, since {found.opaque}"
    if found.layers:
        rows = [(each.name or "(the model)", each.kind, _shape(each.shape)) for each in found.layers]
        yield text_table(("executed", "type", "output of an image"), rows).rstrip()


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape[1:])) or "1"
