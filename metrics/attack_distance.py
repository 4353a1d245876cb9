"""Attack distance: how far the nearest adversarial image is that attacks find."""

from math import inf
from typing import Annotated, Literal

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.errors import XaiboardError
from ..benchmark.toolkit.ranges import AddedLater, AsksFor, Count
from .shared.box_distance import box_distance
from .shared.combined_distance import combined_distance

Attack = Annotated[
    Literal["ddn", "combined"],
    AddedLater(),
    AsksFor("box_distance", "ddn"),
    AsksFor("combined_distance", "combined"),
]


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    range=(0, inf),
    source="Rony et al. 2019, arXiv:1811.09600; Serrurier et al. 2021, arXiv:2006.06520, combined attacks",
    columns={
        "rmse": Column(higher_is_better=True, across_models=True, range=(0, 1)),
        "found": Column(across_models=True, range=(0, 1)),
    },
    shared=[box_distance, combined_distance],
    roles=["distance to an attack"],
)
def attack_distance(
    x: Tensor,
    box_distance: Tensor | None,
    combined_distance: Tensor | None,
    *,
    steps: Count = 100,
    attack: Attack = "ddn",
) -> dict[str, Tensor]:
    """L2 distance to the nearest wrongly predicted image in ``[0, 1]`` that attacks find, in units of ``x``, ``(B,)``.

    It is an upper bound of the distance to the decision boundary. Only images in ``[0, 1]`` count, unlike in ``ara``,
    so the two must not be mixed.

    Args:
        x: images, ``(B, C, H, W)``.
        box_distance: the distance, and whether such an image was found, ``(B, 2)``; None for the other attack.
        combined_distance: the same by several attacks; None if they are not asked for.
        steps: number of steps of each attack; each costs a forward and a backward pass.
        attack: ``ddn`` runs DDN on two losses. ``combined`` takes the nearest image that this, DeepFool, Carlini &
            Wagner or PGD finds, which is about six times the work, and the best for comparing robustness.

    Returns:
        The distance, which is 0 where the image itself is predicted wrong. ``rmse``: the same as a root mean square
        over the pixels. ``found``: 1 where an adversarial image was found; elsewhere it is 0, and the distance is that
        of the farthest image in ``[0, 1]``.
    """
    del steps  # a setting of the shared values
    nearest = {"ddn": box_distance, "combined": combined_distance}[attack]
    if nearest is None:
        raise XaiboardError(
            f"'attack_distance' with attack={attack} needs the distance that this attack finds"
        )
    distance, found = nearest.unbind(1)
    return {"": distance, "rmse": distance / x[0].numel() ** 0.5, "found": found}
