"""Random map: a control that knows neither model nor image."""

from torch import Tensor

from ..components.decorators import method
from ..toolkit.rng import SampleRng


@method(source="control", control=True, roles=["random control"])
def random(x: Tensor, rng: SampleRng) -> Tensor:
    """Independent standard normal numbers, shaped like ``x``."""
    return rng.normal(x)
