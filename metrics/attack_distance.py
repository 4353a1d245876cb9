"""Attack distance: how far the nearest adversarial image is that attacks find."""

from math import inf

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.ranges import Count
from .shared.box_distance import box_distance


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    range=(0, inf),
    source="Rony et al. 2019, arXiv:1811.09600",
    columns={
        "rmse": Column(higher_is_better=True, across_models=True, range=(0, 1)),
        "found": Column(across_models=True, range=(0, 1)),
    },
    shared=[box_distance],
    roles=["distance to an attack"],
)
def attack_distance(x: Tensor, box_distance: Tensor, *, steps: Count = 100) -> dict[str, Tensor]:
    """L2 distance to the nearest wrongly predicted image in ``[0, 1]`` that attacks find, in units of ``x``, ``(B,)``.

    It is an upper bound of the distance to the decision boundary. Only images in ``[0, 1]`` count, unlike in ``ara``,
    so the two must not be mixed.

    Args:
        x: images, ``(B, C, H, W)``.
        box_distance: the distance, and whether such an image was found, ``(B, 2)``.
        steps: number of steps of each of the two attacks (DDN); each costs a forward and a backward pass.

    Returns:
        The distance, which is 0 where the image itself is predicted wrong. ``rmse``: the same as a root mean square
        over the pixels. ``found``: 1 where an adversarial image was found; elsewhere it is 0, and the distance is that
        of the farthest image in ``[0, 1]``.
    """
    del steps  # a setting of the shared value
    distance, found = box_distance.unbind(1)
    return {"": distance, "rmse": distance / x[0].numel() ** 0.5, "found": found}
