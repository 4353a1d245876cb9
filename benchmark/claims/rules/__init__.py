"""The kinds of rules by which a claim is judged: each is a small function that makes an effect of some sides."""

from . import differences, facts, means, share
from .registry import RULES

__all__ = ["RULES", "differences", "facts", "means", "share"]
