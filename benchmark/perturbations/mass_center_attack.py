"""Mass-centre attack: the centre of the map is pushed away."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.linalg import vector_norm

from ..pixels import magnitudes
from ..registry import perturbation
from ..rng import SampleRng
from .agreement import mass_centre
from .ifia import SOURCE, Climb, Through, attack
from .worst import Worst


@perturbation(source=SOURCE)
def mass_center_attack(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    logits: Tensor,
    attribution: Tensor,
    explain: Callable[[Tensor], Tensor],
    rng: SampleRng,
    *,
    eps: float = 0.1,
    step: float = 0.01,
    steps: int = 50,
    restarts: int = 1,
    beta: float = 5.0,
    through: Through = "saliency",
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
        rng: random numbers of each sample, for further starts, and for steps where there is no gradient.
        eps: radius in the sup norm, in units of ``x``.
        step: length of a step, in units of ``x``.
        steps: number of steps; each costs an explanation, a forward pass, and a map that is differentiated.
        restarts: number of starts: the first at ``x``, as in the papers, the others anywhere in the ball.
        beta: sharpness of the softplus; the papers take 1, which is weaker here, as is 20.
        through: the map that is differentiated.

    Raises:
        XaiboardError: a setting out of range.
    """
    climb = Climb("mass_center_attack", eps, step, steps, restarts, beta, through)
    centre = mass_centre(magnitudes(attribution))

    def closeness(other: Tensor) -> Tensor:
        return -vector_norm(mass_centre(magnitudes(other)) - centre, dim=1)

    worst = Worst(x, logits, attribution, closeness)
    return attack(
        climb, model, x, target, worst, explain, rng,
        lambda values: ((mass_centre(values) - centre) ** 2).sum(1),
    )  # fmt: skip
