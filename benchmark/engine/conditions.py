"""What every cell of a run has in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Conditions:
    """What every cell of a run has in common.

    Args:
        seed: seed of every random number.
        target: the explained class: ``prediction`` or ``label``.
        dtype: ``float32`` or ``float64``.
        device: ``cpu``, ``cuda``, ``cuda:1``...
    """

    seed: int = 0
    target: str = "prediction"
    dtype: str = "float32"
    device: str = "cpu"
