"""Attack distance: how far the nearest adversarial image is that attacks find."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.checks import at_least
from .shared.box_distance import box_distance


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    source="Rony et al. 2019, arXiv:1811.09600",
    columns={
        "rmse": Column(higher_is_better=True, across_models=True),
        "found": Column(across_models=True),
    },
    shared=[box_distance],
    roles=["distance to an attack"],
)
def attack_distance(x: Tensor, box_distance: Tensor, *, steps: int = 100) -> dict[str, Tensor]:
    """L2 distance to the nearest wrongly predicted image in ``[0, 1]`` that was found, in units of ``x``, ``(B,)``.

    An upper bound of the distance to the decision boundary. Images outside of the box do not count, unlike in
    ``ara``, so the two must not be mixed.

    Args:
        x: images, ``(B, C, H, W)``.
        box_distance: the distance, and whether such an image was found, ``(B, 2)``.
        steps: of each of the two attacks (DDN); one costs a forward and a backward pass.

    Returns:
        The distance, 0 where the prediction is wrong to begin with; ``rmse``, the same as a root mean square over
        the pixels; ``found``, 1 where an adversarial image was found: elsewhere the distance is that of the
        farthest corner of the box.

    Raises:
        XaiboardError: ``steps`` is less than 1.
    """
    at_least(1, "attack_distance", steps=steps)
    distance, found = box_distance.unbind(1)
    return {"": distance, "rmse": distance / x[0].numel() ** 0.5, "found": found}
