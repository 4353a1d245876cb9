"""Top-k attack: the importance of the most important pixels is pushed down."""

from collections.abc import Callable

from torch import Tensor, nn

from ..components.decorators import perturbation
from ..toolkit.rng import SampleRng
from ..toolkit.top_pixels import top_pixels
from .shared.map_attack import SOURCE, Climb, Through, applies, attack
from .shared.worst import Worst


@perturbation(source=SOURCE, applies=applies, version=3)
def topk_attack(
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
    eps: float = 0.1,
    step: float = 1.0,
    steps: int = 50,
    restarts: int = 1,
    beta: float = 5.0,
    through: Through = "auto",
    other: str = "",
) -> Tensor:
    """The image near ``x`` whose map has the fewest of the original map's top pixels, shaped like ``x``.

    Each step lowers their share of a map that can be differentiated, of a copy of the network with softplus for ReLU.
    What is kept is the iterate that is predicted as ``x`` is and whose own map, by the method that is explained, has
    the fewest; ``x`` itself where no iterate has fewer. Once an iterate is predicted otherwise, the next step leads
    back, which is an addition to the papers' attack. The map that is differentiated is the explained method's own where
    it can be, or else a relative's: by transfer an attack may do no more than noise.

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
        eps: radius in the sup norm, in units of ``x``, the range of a pixel being 1.
        step: length of the first step, in radii; later ones are shorter (:mod:`.shared.map_attack`).
        steps: number of steps; each costs an explanation, a forward pass, a map that is differentiated, and for samples
            whose prediction is lost a forward and a backward pass.
        restarts: number of starts: the first at ``x``, the others anywhere in the ball.
        beta: sharpness of the softplus in the first step, in units of each layer's spread (the papers take 1 in units
            of its values, which is weaker here); later steps take sharper copies; infinity: no smooth copy.
        through: the map that is differentiated; ``auto`` is the explained method's own if it is the simple gradient,
            input times gradient, integrated gradients (from black, few points) or SmoothGrad (few draws of deviation
            .15); else that of a near relative, as integrated gradients are for DeepLIFT and GradientSHAP; else the
            simple gradient: the attack is then carried over, and ``own`` is inapplicable.
        other: the model whose smooth copy is differentiated instead of the judged one's (a transfer attack, for
            networks whose gradients may hide what they do).

    Raises:
        XaiboardError: a setting out of range, or no set of the map's pixels has ``k`` of them.
    """
    del other  # read by the engine, which supplies the model
    climb = Climb("topk_attack", eps, step, steps, restarts, beta, through, method, other_model)
    top = top_pixels(attribution, k, "topk_attack").pixels

    def kept(other: Tensor) -> Tensor:
        return (top * top_pixels(other, k, "topk_attack").pixels).sum((1, 2)) / k

    worst = Worst(x, logits, attribution, kept)
    return attack(
        climb,
        model,
        x,
        target,
        worst,
        explain,
        rng,
        lambda values: -(values * top).mean((1, 2)),
    )
