"""Checks what a component returned; the message says what was wrong with it."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..errors import XaiboardError
from ..subjects.logits import described, is_dense


def require_finite(owner: str, what: str, returned: Any, shape: tuple[int, ...]) -> Tensor:  # noqa: ANN401 - anything a plug-in returns
    """``returned``, if it is a tensor of the right shape without NaN or infinity.

    Args:
        owner: kind and name of the component, such as ``method 'saliency'``.
        what: what it must return, such as ``scores``.
        returned: what it did return.
        shape: the right shape.

    Raises:
        XaiboardError: it is no tensor, has another shape, or is not finite.
    """
    fits = is_dense(returned) and returned.shape == shape and not returned.is_complex()
    if not fits or not _all_finite(returned):
        raise XaiboardError(
            f"{owner} must return finite {what} shaped {tuple(shape)}, got {_describe(returned)}"
        )
    return returned


def _all_finite(values: Tensor) -> bool:
    """A sum is finite only if all its terms are; it is taken in a fraction of the time, but may overflow."""
    return bool(values.sum().isfinite()) or bool(values.isfinite().all())


def says_no_gradient(error: RuntimeError) -> bool:
    """Whether it is what torch raises where an output does not depend on an input by differentiable steps."""
    return any(said in str(error) for said in ("does not require grad", "not have been used in the graph"))


def _describe(returned: Any) -> str:  # noqa: ANN401 - anything a plug-in returns
    """Shape of a tensor and how many values of it are not finite; of anything else, the type."""
    if not is_dense(returned):
        return described(returned) if isinstance(returned, Tensor) else type(returned).__name__
    bad = int((~returned.isfinite()).sum())
    kind = f"{returned.dtype} " if returned.is_complex() else ""
    return f"{kind}{tuple(returned.shape)}" + (f" with {bad} values that are not finite" if bad else "")
