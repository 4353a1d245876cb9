"""The audit of one model: weights against card, accuracy, Lipschitz bounds, certificates."""

from __future__ import annotations

import torch

from . import lipschitz, zoo
from .data import load_data
from .errors import XaiboardError
from .registry import models


def describe_audit(name: str, dataset: str) -> tuple[str, bool]:
    """What ``xaiboard audit`` prints, and whether the model keeps what it claims.

    Raises:
        XaiboardError: unknown model or data set, or weights that do not fit their card.
    """
    entry = models[name]
    data = load_data(dataset)
    trained = zoo.load(entry, dataset, data.shape, len(data.classes))
    path = zoo.weights_path(entry, dataset)
    card = (zoo.read_card(path) if path is not None else None) or {}
    with torch.no_grad():
        logits = torch.cat([trained.module(part) for part in data.x.split(256)])
    correct = logits.argmax(1) == data.label
    accuracy = correct.double().mean().item()
    passed = True
    lines = [f"{name} on {dataset}: {sum(p.numel() for p in trained.module.parameters())} parameters"]
    if card:
        passed = abs(accuracy - float(card.get("accuracy", accuracy))) < 1e-3
        lines.append("weights: SHA-256 as on the card")
        lines.append(f"accuracy: {accuracy:.4f} on {len(data)} test samples; card: {card.get('accuracy')}")
    else:
        lines.append(f"accuracy: {accuracy:.4f} on {len(data)} test samples; there is no card")
    try:
        found = lipschitz.audit(trained.module, data.x)
    except XaiboardError as error:
        return "\n".join([*lines, f"Lipschitz bound: none ({error})"]), passed and trained.lipschitz is None
    lines.append(
        f"Lipschitz constant (L2): at most {found.upper:.6g}, at least {found.lower:.6g} on the test set"
    )
    if trained.lipschitz is None:
        lines.append("certificates: none, the model claims no Lipschitz constant")
    elif not found.passes:
        passed = False
        lines.append(f"certificates: none, the model claims {trained.lipschitz:g} and does not pass")
    else:
        radius = lipschitz.certified_radius(trained.module, logits, data.shape)
        shares = (
            f"{(correct & (radius >= limit)).double().mean().item():.4f} at {limit:g}"
            for limit in lipschitz.RADII
        )
        lines.append(f"certified accuracy (L2): {', '.join(shares)}")
    lines.append("audit passed" if passed else "audit NOT passed")
    return "\n".join(lines), passed
