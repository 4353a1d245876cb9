"""Random logit: whether the map of another class is different."""

from collections.abc import Callable

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.errors import XaiboardError
from ..benchmark.toolkit.rng import SampleRng
from .shared.similarity import COLUMNS, similarity


@metric(
    family="sanity",
    higher_is_better=False,
    range=(-1, 1),
    source="Sixt et al. 2020, arXiv:1912.09818, sec. 5",
    columns=COLUMNS,
)
def random_logit(
    explain: Callable[..., Tensor],
    x: Tensor,
    target: Tensor,
    logits: Tensor,
    attribution: Tensor,
    rng: SampleRng,
) -> dict[str, Tensor]:
    """Similarity of the map with the map of another class, drawn at random, ``(B,)``, in ``[-1, 1]``; lower is better.

    The score is Spearman's correlation of the signed channel sums. If the logits of two classes are opposite, which is
    possible with two classes, their maps are opposite as well, and -1 is no merit; ``absolute`` and ``ssim`` show that
    both maps point at the same pixels. Two all-zero maps have correlation 0 and SSIM 1.

    Args:
        explain: the attribution by the same method, for any target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``, which show how many classes there are.
        attribution: ``explain(x)``.
        rng: random numbers of each sample, which draw the other class, all equally likely.

    Returns:
        The correlation. ``absolute``: Spearman's correlation of the pixels' magnitudes. ``ssim``: structural similarity
        of the pixels' magnitudes.

    Raises:
        XaiboardError: there is no other class.
    """
    classes = logits.shape[1]
    if classes < 2:
        raise XaiboardError(
            "'random_logit' needs another class to explain, and the network has one logit alone"
        )
    step = 1 + (rng.uniform(logits[:, :1].double())[:, 0] * (classes - 1)).long()
    return similarity(attribution, explain(x, target=(target + step) % classes))
