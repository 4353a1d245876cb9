"""Built-in perturbations; importing the package registers them."""

from . import gaussian_noise, jpeg, rotation, shift, sign_noise, uniform_noise

__all__ = ["gaussian_noise", "jpeg", "rotation", "shift", "sign_noise", "uniform_noise"]
