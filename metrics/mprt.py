"""Model parameter randomisation: whether the map forgets what the network forgets."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.rng import SampleRng
from .shared.randomised import Order, randomised
from .shared.similarity import COLUMNS, similarity


@metric(
    family="sanity", higher_is_better=False, source="Adebayo et al. 2018, arXiv:1810.03292", columns=COLUMNS
)
def mprt(
    model: nn.Module,
    explain: Callable[..., Tensor],
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    order: Order = "top_down",
) -> dict[str, Tensor]:
    """Similarity of the map with those of networks whose layers are drawn anew, mean over layers, in ``[-1, 1]``.

    ``(B,)``; lower is better, and 1 says that the map does not depend on the network. From the output downwards one
    layer more is drawn, until all are (:func:`~xaiboard.metrics.randomised.randomised`). All samples see the same
    networks, so intervals over samples do not tell how those were drawn: another seed does. The mean depends on how
    many layers there are, so models do not compare. Costs as many explanations as there are layers.

    Not so in Quantus: its mean over layers counts the intact network, whose similarity is 1, and layers are drawn by
    their ``reset_parameters``, which leaves layers alone that have none.

    Args:
        model: its layers are drawn anew in a copy.
        explain: the attribution by the same method and target, for any network.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: its seed is that of the networks.
        order: ``top_down``, ``bottom_up``, or ``independent``: each layer alone, the others intact.

    Returns:
        Spearman's correlation of the signed channel sums; ``absolute``, that of the pixels' magnitudes; ``ssim``, the
        structural similarity of them; ``curve``, the correlation from the intact network (1) to the last one,
        ``(B, layers + 1)``. A constant map has correlation 0 with any other.

    Raises:
        XaiboardError: a network without parameters, or with weights that are computed from others.
    """
    found = [similarity(attribution, explain(x, model=other)) for other in randomised(model, rng.seed, order)]
    by_layer = {name: torch.stack([each[name] for each in found], 1) for name in found[0]}
    intact = torch.ones_like(by_layer[""][:, :1])
    return {name: values.mean(1) for name, values in by_layer.items()} | {
        "curve": torch.cat([intact, by_layer[""]], 1)
    }
