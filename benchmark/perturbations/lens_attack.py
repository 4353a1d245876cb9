"""LENS-aware attack: importance is pushed out of the neighbourhood of the most important pixels."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from ..components.decorators import perturbation
from ..toolkit.checks import at_least
from ..toolkit.rng import SampleRng
from ..toolkit.top_pixels import dilate, top_pixels
from .shared.agreement import spearman_with
from .shared.map_attack import Climb, Through, applies, attack
from .shared.worst import Worst

SOURCE = "Kamath et al. 2024, arXiv:2312.10534, released code; keep=recall is an addition"


@perturbation(source=SOURCE, applies=applies, version=2)
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
    k: int = 100,
    window: int = 1,
    keep: Literal["recall", "spearman"] = "recall",
    eps: float = 0.1,
    step: float = 1.0,
    steps: int = 50,
    restarts: int = 1,
    beta: float = 5.0,
    through: Through = "auto",
    other: str = "",
) -> Tensor:
    """The image near ``x`` whose map has the fewest top pixels within the original ones' windows, shaped like ``x``.

    As :func:`~xaiboard.benchmark.perturbations.topk_attack.topk_attack`, with the original set dilated by ``window``:
    each step lowers what its neighbourhood holds, so that moves within a window, which LENS forgives, gain nothing.
    What is kept is the iterate with the worst LENS recall itself, or, as in the released code, the one whose ranks
    agree least (Spearman's correlation for Kendall's).

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``.
        attribution: map of ``x``.
        explain: the attacked method.
        method: its name.
        other_model: the network that is differentiated.
        rng: random numbers of each sample, for further starts, and for steps where there is no gradient.
        k: pixels in a set.
        window: radius in pixels.
        keep: what the kept iterate has least of: ``recall`` at ``k`` and ``window``, or ``spearman``.
        eps: radius in the sup norm, in units of ``x``, the range of a pixel being 1.
        step: length of the first step, in radii; later ones are shorter (:mod:`.shared.map_attack`).
        steps: number of steps; each costs an explanation, a forward pass, a map that is differentiated, and for samples
            whose prediction is lost a forward and a backward pass.
        restarts: number of starts: the first at ``x``, the others anywhere in the ball.
        beta: sharpness of the softplus, as for ``topk_attack``.
        through: the map that is differentiated, as for ``topk_attack``.
        other: the model whose smooth copy is differentiated instead of the judged one's, as for ``topk_attack``.

    Raises:
        XaiboardError: a setting out of range, or no set of the map's pixels has ``k`` of them.
    """
    del other  # read by the engine, which supplies the model
    at_least(0, "lens_attack", window=window)
    climb = Climb("lens_attack", eps, step, steps, restarts, beta, through, method, other_model)
    near = dilate(top_pixels(attribution, k, "lens_attack").pixels, window)

    def recall(perturbed: Tensor) -> Tensor:
        return (near * top_pixels(perturbed, k, "lens_attack").pixels).sum((1, 2)) / k

    worst = Worst(x, logits, attribution, recall if keep == "recall" else spearman_with(attribution))
    return attack(
        climb, model, x, target, worst, explain, rng,
        lambda values: -(values * near).mean((1, 2)),
    )  # fmt: skip
