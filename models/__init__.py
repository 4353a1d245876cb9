"""Built-in models; importing the package registers them."""

from . import adversarial, ot, standard

__all__ = ["adversarial", "ot", "standard"]
