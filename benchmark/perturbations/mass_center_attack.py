"""Mass-centre attack: the centre of the map is pushed away."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.linalg import vector_norm

from ..components.decorators import perturbation
from ..toolkit.pixels import magnitudes
from ..toolkit.rng import SampleRng
from .shared.agreement import mass_centre
from .shared.map_attack import SOURCE, Climb, Through, applies, attack
from .shared.worst import Worst


@perturbation(source=SOURCE, applies=applies, version=3)
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
    eps: float = 0.1,
    step: float = 1.0,
    steps: int = 50,
    restarts: int = 1,
    beta: float = 5.0,
    through: Through = "auto",
    other: str = "",
) -> Tensor:
    """The image near ``x`` whose map has its centre of mass farthest from that of the original, shaped like ``x``.

    What is differentiated, what is kept and how it transfers to other methods is as in
    :func:`~xaiboard.benchmark.perturbations.topk_attack.topk_attack`.

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
        eps: radius in the sup norm, in units of ``x``, the range of a pixel being 1.
        step: length of the first step, in radii, as for ``topk_attack``.
        steps: number of steps, as for ``topk_attack``.
        restarts: number of starts: the first at ``x``, the others anywhere in the ball.
        beta: sharpness of the softplus, as for ``topk_attack``.
        through: the map that is differentiated, as for ``topk_attack``.
        other: the model whose smooth copy is differentiated instead of the judged one's, as for ``topk_attack``.

    Raises:
        XaiboardError: a setting out of range.
    """
    del other  # read by the engine, which supplies the model
    climb = Climb("mass_center_attack", eps, step, steps, restarts, beta, through, method, other_model)
    centre = mass_centre(magnitudes(attribution))

    def closeness(other: Tensor) -> Tensor:
        return -vector_norm(mass_centre(magnitudes(other)) - centre, dim=1)

    worst = Worst(x, logits, attribution, closeness)
    return attack(
        climb, model, x, target, worst, explain, rng,
        lambda values: ((mass_centre(values) - centre) ** 2).sum(1),
    )  # fmt: skip
