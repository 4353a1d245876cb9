"""Leaving no trace: what captum writes on a model's layers is taken back, and its warnings stay inside."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def traceless(model: nn.Module) -> Iterator[None]:
    """Takes back the attributes that layers get inside the ``with`` block, also after an exception.

    captum removes its hooks itself, but not all that they have stored: after an exception, or a forward pass
    without a backward one, layers would keep activations of a batch, and send them along when the model is saved.
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
