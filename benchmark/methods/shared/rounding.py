"""How far two ways to the same numbers may lie apart."""

import torch


def rounding(dtype: torch.dtype) -> float:
    """Largest difference that rounding explains, as a share of the numbers' magnitude.

    No more than a thousandth, so that in ``bfloat16`` and ``float16`` what cannot be checked is refused.
    """
    return 1e-8 if dtype == torch.float64 else 1e-3
