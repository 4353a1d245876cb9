"""What computing costs: seconds, and samples sent forward and backward through a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class Cost:
    """Seconds, and numbers of samples sent forward and backward through a model.

    Args:
        seconds: taken.
        forward: samples sent forward.
        backward: samples sent backward.
        explained: samples explained by a method whose own passes are not among these.
    """

    seconds: float = 0.0
    forward: float = 0.0
    backward: float = 0.0
    explained: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds,
            self.forward + other.forward,
            self.backward + other.backward,
            self.explained + other.explained,
        )

    def __sub__(self, other: Cost) -> Cost:
        return self + other * -1

    def __mul__(self, samples: float) -> Cost:
        return Cost(
            self.seconds * samples,
            self.forward * samples,
            self.backward * samples,
            self.explained * samples,
        )

    @property
    def passes(self) -> float:
        """Samples sent forward and backward."""
        return self.forward + self.backward


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    return sum(costs, start=Cost())
