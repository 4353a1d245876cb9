"""Model parameter randomisation: whether the map changes when layers of the network are randomised."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.rng import SampleRng
from .shared.randomised import Order, randomised
from .shared.similarity import COLUMNS, similarity


@metric(
    family="sanity",
    higher_is_better=False,
    range=(-1, 1),
    source="Adebayo et al. 2018, arXiv:1810.03292",
    columns=COLUMNS,
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
    """Similarity of the map with the maps of networks with randomised layers, mean over layers, ``(B,)``, -1 to 1.

    Lower is better; 1 says that the map does not depend on the network. By default one more layer is randomised at a
    time, from the output downwards, until all are (:func:`~xaiboard.metrics.shared.randomised.randomised`). All samples
    see the same networks. Intervals over samples therefore do not show how much another draw of the networks would
    change; another seed does. The mean depends on how many layers there are, so models do not compare. It costs as many
    explanations as there are layers.

    Quantus differs: its mean over layers includes the intact network, whose similarity is 1, and layers are drawn by
    their ``reset_parameters``, so layers without this method stay as they are.

    Args:
        model: the network; its layers are randomised in a copy.
        explain: the attribution by the same method and target, for any network.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: its seed is the seed of the random layers.
        order: ``top_down`` from the output, ``bottom_up`` from the input, or ``independent``: each layer alone, the
            others intact.

    Returns:
        Spearman's correlation of the signed channel sums; a constant map has correlation 0 with any other.
        ``absolute``: Spearman's correlation of the pixels' magnitudes. ``ssim``: structural similarity of the pixels'
        magnitudes. ``curve``: the correlation after each layer, from the intact network (1) to the last one,
        ``(B, layers + 1)``.

    Raises:
        XaiboardError: the network has no parameters, or weights that are computed from others.
    """
    found = [similarity(attribution, explain(x, model=other)) for other in randomised(model, rng.seed, order)]
    by_layer = {name: torch.stack([each[name] for each in found], 1) for name in found[0]}
    intact = torch.ones_like(by_layer[""][:, :1])
    return {name: values.mean(1) for name, values in by_layer.items()} | {
        "curve": torch.cat([intact, by_layer[""]], 1)
    }
