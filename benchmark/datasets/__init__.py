"""Built-in data sets; importing the package registers them."""

from . import digits

__all__ = ["digits"]
