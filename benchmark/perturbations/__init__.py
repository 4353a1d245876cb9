"""Built-in perturbations; importing the package registers them."""

from . import sign_noise

__all__ = ["sign_noise"]
