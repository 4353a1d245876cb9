"""What a network or a function computes on a few fixed inputs, and whether that is the same up to rounding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import XaiboardError

SHAKEN = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 0.05, "float16": 0.01}
"""By dtype, the relative change of all that is computed by which rounding is imitated."""

ROUNDING = {"float64": 2e-10, "float32": 2e-5, "bfloat16": 0.05, "float16": 0.01}
"""By dtype, the relative change of all that is computed which counts as rounding; that of machines is smaller.

On a processor without AVX, networks of float32 differ as by a change of 2e-6 in their logits, and of 4e-6 in the
gradients of networks with rectifiers.
"""

ON_GPU = 5e-3
"""The same for float32 if one of the two was computed on a GPU, where products may be rounded to 10 bits."""

MARGIN = 2
"""By how many times the measured effect of such a change two numbers may differ."""

OWN_SIZE = 0.1
"""Which part of such a change of itself is granted to a number, whatever was measured."""


class Column(NamedTuple):
    """Numbers of one kind: the logits of a class for all inputs, for instance.

    Args:
        numbers: one for each input.
        slope: by how much they change for a relative change of everything that is computed.
    """

    numbers: tuple[float, ...]
    slope: float


@dataclass(frozen=True)
class Outputs:
    """Numbers that stand for what a network computes, or a function.

    Args:
        columns: the numbers; those of a column are compared on its own scale.
        dtype: the coarsest one that took part.
        device: ``cpu`` or ``cuda``.
    """

    columns: tuple[Column, ...]
    dtype: str = "float32"
    device: str = "cpu"

    def agrees_with(self, other: Outputs) -> bool:
        """Whether the two differ by no more than rounding, as far as both have columns.

        Earlier versions had fewer columns: the first ones of today's.

        What is missed: a change that is smaller than :data:`MARGIN` times what a relative change of all that is
        computed (2e-5 in float32, 5e-3 if a GPU took part) does to the same column, which for a factor before the
        logits is about 2e-5 for each layer; one that shows on none of the inputs; and one that cancels in each of the
        sums that stand for a gradient or an attribution. A function that jumps, as a rank does where two values are
        nearly the same, is compared as loosely as it jumps.
        """
        rounding = max(ROUNDING[each.dtype] for each in (self, other))
        if "float32" in (self.dtype, other.dtype) and (self.device, other.device) != ("cpu", "cpu"):
            rounding = max(rounding, ON_GPU)
        both = list(zip(self.columns, other.columns, strict=False))
        return bool(both) and all(_close(one, another, rounding) for one, another in both)

    @property
    def plain(self) -> dict[str, object]:
        """The content as JSON can hold it: each column is its slope, then its numbers."""
        columns = [
            [float(f"{value:.12g}") for value in (column.slope, *column.numbers)] for column in self.columns
        ]
        return {"columns": columns, "dtype": self.dtype, "device": self.device}

    @staticmethod
    def read(plain: Mapping[str, Any]) -> Outputs:
        """The inverse of :attr:`plain`.

        Raises:
            XaiboardError: it is something else.
        """
        try:
            columns = [tuple(map(float, column)) for column in plain["columns"]]
            return Outputs(
                tuple(Column(tuple(numbers), slope) for slope, *numbers in columns),
                {each: each for each in ROUNDING}[plain["dtype"]],
                str(plain["device"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise XaiboardError(
                "'outputs' in run.json are not as they were written; restore the file, or give another folder"
            ) from None


def _close(one: Column, other: Column, rounding: float) -> bool:
    """Whether two columns differ by no more than a relative change ``rounding`` of all that is computed explains."""
    measured = MARGIN * max(one.slope, other.slope)
    return len(one.numbers) == len(other.numbers) and all(
        abs(a - b) <= rounding * (measured + OWN_SIZE * max(abs(a), abs(b)))
        for a, b in zip(one.numbers, other.numbers, strict=True)
    )
