"""Lipschitz constants of the model: certified for all inputs, and met at each of them."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column


@metric(
    family="model",
    higher_is_better=None,
    source="Serrurier et al. 2021, arXiv:2006.06520",
    columns={"upper": Column()},
)
def lipschitz(lipschitz: Tensor) -> dict[str, Tensor]:
    """Spectral norm of the Jacobian of all logits at each input, ``(B,)``, and its certified upper bound.

    Args:
        lipschitz: the certified L2 bound, the same for all inputs, and the local constant, ``(B, 2)``.

    Returns:
        The local constant; ``upper``, the bound. In logits per unit of ``x``.
    """
    upper, local = lipschitz.unbind(1)
    return {"": local, "upper": upper}
