"""Removes what captum leaves behind on a model's layers, and silences its warnings."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def traceless(model: nn.Module) -> Iterator[None]:
    """Removes the attributes that layers get inside the ``with`` block, also after an exception.

    captum removes its hooks itself, but not everything that they have stored. After an exception, or a forward pass
    without a backward one, layers would keep the activations of a batch, and these would be saved with the model.
    """
    before = {module: set(vars(module)) for module in model.modules()}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"\s*Setting (forward, )?backward hooks", UserWarning)
            yield
    finally:
        for module, names in before.items():
            for name in set(vars(module)) - names:
                delattr(module, name)
