"""Top-k attack: the importance of the most important pixels is pushed down."""

from collections.abc import Callable
from typing import Annotated

from torch import Tensor, nn

from ..components.decorators import perturbation
from ..toolkit.per_side import sized, so_many_pixels
from ..toolkit.ranges import AsksFor, Count
from ..toolkit.rng import SampleRng
from ..toolkit.top_pixels import top_pixels
from .shared.map_attack import SOURCE, Climb, Victim, applies, attack
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
    k: Annotated[Count, AsksFor("pixels")] = so_many_pixels(100),
    climb: Climb = Climb(),
) -> Tensor:
    """The image near ``x`` whose map shares the fewest top pixels with the map of ``x``, shaped like ``x``.

    The attack needs a map that can be differentiated twice, so it works on a copy of the network with softplus for
    ReLU. Each step lowers the share of the copy's map that lies in the original top pixels. The attacked method then
    explains the new image with the network itself. Of the images that are predicted as ``x`` is, the one whose map
    shares the fewest top pixels is kept; ``x`` itself if none shares fewer. After a step that changes the prediction
    the next step leads back, which the papers do not do. Maps of methods that cannot be differentiated are attacked
    through those of a similar method; such a transfer attack may do no more than noise.

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
        climb: how the attack moves.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels, or the method's own gradient is asked for and it has
            none.
    """
    k = sized(k, x)
    top = top_pixels(attribution, k, "topk_attack").pixels

    def kept(other: Tensor) -> Tensor:
        return (top * top_pixels(other, k, "topk_attack").pixels).sum((1, 2)) / k

    def loss(values: Tensor) -> Tensor:
        return -(values * top).mean((1, 2))

    victim = Victim(model, x, target, explain, method, other_model)
    return attack("topk_attack", climb, victim, Worst(x, logits, attribution, kept), loss, rng)
