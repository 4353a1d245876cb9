"""What the built-in components stand for in a report, for folders that were written before they said so themselves.

A test compares this with what the components declare, which cannot be asked where there is no torch.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..toolkit import roles

BUILTIN_ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "methods": {"random": (roles.RANDOM,), "blurred": (roles.BLURRED,)},
    "metrics": {
        "attack_distance": (roles.ATTACKED_RADIUS,),
        "certified_accuracy": (roles.CERTIFIED_RADIUS,),
        "lens_recall": (roles.WINDOWED_OVERLAP,),
        "perturbation_size": (roles.PERTURBATION_SIZE,),
        "step_flip": (roles.BOUNDARY_STEP,),
        "topk_intersection": (roles.EXACT_OVERLAP,),
    },
    "perturbations": {},
}
"""Roles by kind and name of the component; those that are not named here have none."""
