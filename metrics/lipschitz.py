"""Lipschitz constants of the model: a certified one for all inputs, and the local one at each input."""

from math import inf

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column


@metric(
    family="model",
    higher_is_better=None,
    range=(0, inf),
    source="Serrurier et al. 2021, arXiv:2006.06520",
    columns={"upper": Column(range=(0, inf))},
)
def lipschitz(lipschitz: Tensor) -> dict[str, Tensor]:
    """Spectral norm of the Jacobian of all logits at each input, ``(B,)``, with its certified upper bound.

    Args:
        lipschitz: the certified L2 bound, the same for all inputs, and the local constant at each input, ``(B, 2)``.

    Returns:
        The local constant, in logits per unit of ``x``. ``upper``: the certified upper bound, in the same unit.
    """
    upper, local = lipschitz.unbind(1)
    return {"": local, "upper": upper}
