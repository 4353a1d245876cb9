"""Built-in perturbations; importing the package registers them."""

from . import (
    adversarial_explanation_attack,
    best_of_random,
    gaussian_noise,
    jpeg,
    lens_attack,
    mass_center_attack,
    pgd,
    rotation,
    shift,
    sign_noise,
    target_attack,
    topk_attack,
    uniform_noise,
)

__all__ = [
    "adversarial_explanation_attack",
    "best_of_random",
    "gaussian_noise",
    "jpeg",
    "lens_attack",
    "mass_center_attack",
    "pgd",
    "rotation",
    "shift",
    "sign_noise",
    "target_attack",
    "topk_attack",
    "uniform_noise",
]
