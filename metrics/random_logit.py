"""Random logit: whether the map of another class is another map."""

from collections.abc import Callable

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.errors import XaiboardError
from ..benchmark.toolkit.rng import SampleRng
from .shared.similarity import COLUMNS, similarity


@metric(
    family="sanity",
    higher_is_better=False,
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
    """Similarity of the map with that of another class, drawn at random, ``(B,)``, in ``[-1, 1]``; lower is better.

    The score is Spearman's correlation of the signed channel sums. Where the logits of two classes are opposite, as
    they may be if there are no others, so are the maps, and -1 is no merit: ``absolute`` and ``ssim`` see that they
    point at the same pixels. Two all-zero maps have correlation 0 and SSIM 1.

    Args:
        explain: the attribution by the same method, for any target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        target: explained classes, ``(B,)``.
        logits: for ``x``, ``(B, K)``: how many classes there are.
        attribution: ``explain(x)``.
        rng: draws the other class, all equally likely.

    Returns:
        The correlation; ``absolute``, that of the pixels' magnitudes; ``ssim``, the structural similarity of them.

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
