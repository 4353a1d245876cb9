"""What computing costs: seconds, and samples sent forward and backward through a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class Cost:
    """Seconds, and numbers of samples sent forward and backward through a model."""

    seconds: float = 0.0
    forward: float = 0.0
    backward: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds, self.forward + other.forward, self.backward + other.backward
        )

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds - other.seconds, self.forward - other.forward, self.backward - other.backward
        )

    def __mul__(self, samples: int) -> Cost:
        return Cost(self.seconds * samples, self.forward * samples, self.backward * samples)


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    return sum(costs, start=Cost())
