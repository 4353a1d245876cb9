"""Mass-centre attack: the centre of the map is pushed away."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.linalg import vector_norm

from ..components.decorators import perturbation
from ..toolkit.pixels import magnitudes
from ..toolkit.rng import SampleRng
from .shared.agreement import mass_centre
from .shared.map_attack import SOURCE, Climb, Victim, applies, attack
from .shared.worst import Worst


@perturbation(source=SOURCE, applies=applies, version=3, images=True)
def mass_center_attack(
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
    climb: Climb = Climb(),
) -> Tensor:
    """The image near ``x`` whose map has its centre of mass farthest from that of the map of ``x``, shaped like ``x``.

    How the image is searched, and what is attacked when the method cannot be differentiated, is as in
    :func:`~xaiboard.benchmark.perturbations.topk_attack.topk_attack`.

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
        climb: how the attack moves.

    Raises:
        XaiboardError: the method's own gradient is asked for, and it has none.
    """
    centre = mass_centre(magnitudes(attribution))

    def closeness(other: Tensor) -> Tensor:
        return -vector_norm(mass_centre(magnitudes(other)) - centre, dim=1)

    def loss(values: Tensor) -> Tensor:
        return ((mass_centre(values) - centre) ** 2).sum(1)

    victim = Victim(model, x, target, explain, method, other_model)
    return attack("mass_center_attack", climb, victim, Worst(x, logits, attribution, closeness), loss, rng)
