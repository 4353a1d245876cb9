"""The bar of a run: how much is done, and how long the rest will take."""

from __future__ import annotations

import time
from typing import Any

from ..toolkit.progress import Bar, say
from ..toolkit.wording import duration
from .promise import Promise, still
from .speed import Speed

FORMAT = "{percentage:3.0f} %|{bar:20}| {left} left, {elapsed} gone{postfix}"


class CellsBar(Bar):
    """A bar that counts promised seconds, and says how long the run will still take, tables and figures included.

    Args:
        promised: what the run is expected to take; None shows no bar.
    """

    def __init__(self, promised: Promise | None) -> None:
        self.promised, self.speed, self.done = promised, Speed(), 0.0
        self.start = time.perf_counter()
        if promised:
            say(str(promised))
        total = promised.computing if promised else 0
        super().__init__(total=total, bar_format=FORMAT, mininterval=0.2, disable=promised is None)

    def begin(self, model: str) -> None:
        """From now on this model computes."""
        self.speed = self.promised.speeds[model] if self.promised else Speed()

    def passed(self, forward: int, backward: int) -> None:
        """So many samples have gone forward and backward."""
        self.add(self.speed.forward * forward + self.speed.backward * backward)

    def add(self, seconds: float) -> None:
        """What was promised to take so long is done. The bar itself does not go beyond its end."""
        self.done += seconds
        self.update(min(self.done, self.total) - self.n)

    @property
    def left(self) -> float:
        """Seconds that the run is still expected to take."""
        if self.promised is None:
            return 0.0
        taken = time.perf_counter() - self.start
        return still(self.promised.computing, self.done, taken, self.promised.afterwards)

    @property
    def format_dict(self) -> dict[str, Any]:
        """What the format of the bar is filled with."""
        return {**super().format_dict, "left": duration(self.left)}
