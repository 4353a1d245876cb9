"""LENS-aware attack: importance is pushed out of the neighbourhood of the most important pixels."""

from collections.abc import Callable
from typing import Annotated, Literal

from torch import Tensor, nn

from ..components.decorators import perturbation
from ..toolkit.per_side import sized, so_many_pixels
from ..toolkit.ranges import AsksFor, Count, Window
from ..toolkit.rng import SampleRng
from ..toolkit.top_pixels import LENS_WINDOW, dilate, top_pixels
from .shared.agreement import spearman_with
from .shared.map_attack import Climb, Victim, applies, attack
from .shared.worst import Worst

SOURCE = "Kamath et al. 2024, arXiv:2312.10534, released code; keep=recall is an addition"


@perturbation(source=SOURCE, applies=applies, version=2, images=True)
def lens_attack(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    logits: Tensor,
    attribution: Tensor,
    explain: Callable[[Tensor], Tensor],
    method: str,
    other_model: nn.Module,
    rng: SampleRng,
    *,
    k: Annotated[Count, AsksFor("pixels")] = so_many_pixels(100),
    window: Window = LENS_WINDOW,
    keep: Literal["recall", "spearman"] = "recall",
    climb: Climb = Climb(),
) -> Tensor:
    """The image near ``x`` whose map has the fewest top pixels near those of the map of ``x``, shaped like ``x``.

    As :func:`~xaiboard.benchmark.perturbations.topk_attack.topk_attack`, with one difference: each step lowers the
    importance of the original top pixels and of their neighbours within ``window``. LENS forgives moves within the
    window, so they would gain nothing. Of the visited images, the one with the lowest LENS recall is kept; or, as in
    the released code, the one whose ranks agree least (by Spearman's correlation, where that code takes Kendall's).

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        attribution: map of ``x`` by the attacked method.
        explain: the attribution of any input by the attacked method.
        method: name of the attacked method.
        other_model: the network whose smooth copy is differentiated.
        rng: random numbers of each sample, for further starts and for steps where there is no gradient.
        k: number of top pixels.
        window: radius of the neighbourhood, in pixels: a square of side ``2 * window + 1``.
        keep: which image is kept: that of lowest ``recall`` at ``k`` and ``window``, or of lowest ``spearman``.
        climb: how the attack moves.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels, or the method's own gradient is asked for and it has
            none.
    """
    k, window = sized(k, x), sized(window, x)
    near = dilate(top_pixels(attribution, k, "lens_attack").pixels, window)

    def recall(perturbed: Tensor) -> Tensor:
        return (near * top_pixels(perturbed, k, "lens_attack").pixels).sum((1, 2)) / k

    def loss(values: Tensor) -> Tensor:
        return -(values * near).mean((1, 2))

    worst = Worst(x, logits, attribution, recall if keep == "recall" else spearman_with(attribution))
    return attack(
        "lens_attack", climb, Victim(model, x, target, explain, method, other_model), worst, loss, rng
    )
