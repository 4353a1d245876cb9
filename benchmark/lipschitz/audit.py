"""The audit of one model: are its weights those of its card, how accurate is it, does it keep its Lipschitz claim?"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import XaiboardError
from ..subjects import trained_models
from ..subjects.datasets import load_data, take
from ..subjects.examination import examined, ready
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data
from . import bounds

IMAGES = 500
"""Test images from which the search for steep slopes starts."""

CHUNK = 256
"""Images of which the logits are computed at once."""


def describe_audit(name: str, dataset: str) -> tuple[str, bool]:
    """What ``xaiboard audit`` prints of a model, and whether the model keeps its claims.

    Raises:
        XaiboardError: unknown model or data set, or weights that do not fit their card.
    """
    entry = trained_models.find_model(name)
    data = load_data(dataset)
    trained = examined(trained_models.load(entry, dataset, data.shape, len(data.classes)), data.x)
    path = trained_models.weights_path(entry, dataset)
    card = (trained_models.read_card(path) if path is not None else None) or {}
    with torch.no_grad(), ready(trained.module, data.x):
        logits = torch.cat([trained.module(part) for part in data.x.split(CHUNK)])
    if logits.shape[1] != len(data.classes):
        raise XaiboardError(
            f"model '{name}' has {logits.shape[1]} logits, and {dataset} {len(data.classes)} classes; name its data set"
        )
    correct = logits.argmax(1) == data.label
    accuracy = correct.double().mean().item()
    lines = [f"{name} on {dataset}: {sum(p.numel() for p in trained.module.parameters())} parameters"]
    if card:
        lines.append("weights: SHA-256 as on the card")
    stated = f"card: {card.get('accuracy')}" if card else "there is no card"
    lines.append(f"accuracy: {accuracy:.4f} on {len(data)} test samples; {stated}")
    found, line_on_bounds = _bounds(trained, data)
    line_on_certificates, claim_kept = _certificates(trained, found, logits, correct, data)
    passed = claim_kept and abs(accuracy - float(card.get("accuracy", accuracy))) < 1e-3
    lines += [line_on_bounds, line_on_certificates, "audit passed" if passed else "audit NOT passed"]
    return "\n".join(lines), passed


def _bounds(trained: TrainedModel, data: Data) -> tuple[bounds.Audit, str]:
    """Bounds of the Lipschitz constant, and the line that says them; without an upper bound it is infinite."""
    part = take(data, min(IMAGES, len(data)))
    lower = bounds.lower_bound(trained.module, part.x)
    met = f"at least {lower:.6g} (ascent from {len(part)} test images)"
    try:
        upper = bounds.upper_bound(trained.module, data.shape)
    except XaiboardError as error:
        return bounds.Audit(math.inf, lower), f"Lipschitz constant (L2): {met}; no upper bound: {error}"
    found = bounds.Audit(upper, lower)
    tight = f"lower/upper {found.tightness:.3f}"
    return found, f"Lipschitz constant (L2): at most {upper:.6g}, {met}; {tight}"


def _certificates(
    trained: TrainedModel, found: bounds.Audit, logits: Tensor, correct: Tensor, data: Data
) -> tuple[str, bool]:
    """The line on certified accuracy, or on why there is none, and whether the model keeps its Lipschitz claim."""
    if not found.consistent:
        return "certificates: none, the slopes that were met contradict the upper bound", False
    if trained.lipschitz is None:
        return "certificates: none, the model claims no Lipschitz constant", True
    if not found.passes:
        return f"certificates: none, the model claims {trained.lipschitz:g} and does not pass", False
    radius = bounds.certified_radius(trained.module, logits, data.shape)
    shares = (
        f"{(correct & (radius >= limit)).double().mean().item():.4f} at {limit:g}" for limit in bounds.RADII
    )
    return f"certified accuracy (L2): {', '.join(shares)}", True
