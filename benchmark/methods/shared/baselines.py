"""Constant images from which methods measure what a network does."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import message


@torch.no_grad()
def undefined_on_baseline(
    model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, Any]
) -> str | None:
    """Why the model computes nothing for the image whose every value is the setting ``baseline``; None if it does."""
    value = settings["baseline"]
    try:
        said = "" if model(torch.full_like(x, value)).isfinite().all() else "its logits there are not finite"
    except Exception as error:  # whatever a network may raise
        said = f"it raises {message(error)}"
    where = f"the model is undefined on the baseline, an image of {value:g}"
    return f"{where}: {said}; give another baseline=" if said else None
