"""Objectives: what training minimises. Each gives the loss on a batch, and the logits from which it was computed."""

from .adversarial import adversarial_l2, adversarial_linf, trades
from .attribution import ig_norm, ig_sum_norm
from .lipschitz_penalty import lipschitz_penalty
from .natural import l1, natural
from .objective import Objective
from .transport import tempered, transport, transport_binary, transport_one_vs_all

__all__ = [
    "Objective",
    "adversarial_l2",
    "adversarial_linf",
    "ig_norm",
    "ig_sum_norm",
    "l1",
    "lipschitz_penalty",
    "natural",
    "tempered",
    "trades",
    "transport",
    "transport_binary",
    "transport_one_vs_all",
]
