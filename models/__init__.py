"""Built-in models; importing the package registers them."""

from . import adversarial, linear, ot, regularised, standard

__all__ = ["adversarial", "linear", "ot", "regularised", "standard"]
