"""LRP-epsilon: relevance passed back through each layer in proportion to the contributions of its inputs."""

from collections.abc import Mapping

import captum.attr
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.ranges import Positive
from .shared.gradient import gradient
from .shared.layers import (
    AVERAGES,
    LINEAR,
    MAXIMA,
    SHAPES,
    is_sequence,
    keeps_its_forward,
    layers,
    name_of,
    unfollowed,
    used_twice,
)  # fmt: skip
from .shared.rounding import rounding
from .shared.traceless import traceless

PASSES = (nn.ReLU, nn.Tanh, nn.Dropout)
"""Activations, which pass relevance on unchanged; captum treats dropout as one."""

EXACT = 1e-30
"""Epsilon of layers without weights; large enough to avoid 0 / 0, and too small to absorb relevance."""


def without_epsilon_rule(model: nn.Module) -> str | None:
    """Why relevance would not be conserved on the model, or None."""
    if reason := unfollowed(model):
        return reason
    if reason := next(filter(None, (_without_rule(model, layer) for layer in layers(model))), None):
        return f"LRP has no rule for {reason}"
    if not is_sequence(model):
        return "LRP has no rule for what the model does outside of its layers; write it as an nn.Sequential"
    if twice := used_twice(model):
        return f"LRP needs a layer of its own at each place, and a {twice} is used twice"
    return None


def _without_rule(model: nn.Module, layer: nn.Module) -> str:
    """What the layer is for which there is no rule, in words; empty if there is one."""
    if type(layer) not in PASSES and not isinstance(layer, LINEAR + AVERAGES + SHAPES + MAXIMA):
        return type(layer).__name__
    if any(layer.children()):
        return f"{name_of(model, layer)}, whose weight is computed from others"
    return (
        ""
        if keeps_its_forward(layer)
        else f"{name_of(model, layer)}, whose forward is not that of torch's layer"
    )


def is_input_x_gradient(
    model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, object]
) -> str | None:
    """Why LRP-0 is not input x gradient on one input, as it must be on a network that is linear in pieces; or None.

    Ancona et al. 2018, arXiv:1711.06104, prop. 1. Networks with other activations are not checked.
    """
    if any(isinstance(layer, nn.Tanh) for layer in layers(model)):
        return None
    wanted = x * gradient(model, x, target)
    missing = (_relevance(model, x, target, EXACT) - wanted).abs().max()
    if missing <= rounding(x.dtype) * wanted.abs().max():
        return None
    return f"LRP without epsilon must be input x gradient on the model, and differs from it by {float(missing):.2g}"


@method(
    source="Bach et al. 2015, doi:10.1371/journal.pone.0130140, eq. 58",
    applies=without_epsilon_rule,
    verify=is_input_x_gradient,
)
def lrp_epsilon(model: nn.Module, x: Tensor, target: Tensor, *, epsilon: Positive = 0.25) -> Tensor:
    """Relevance of each element of ``x`` for the target's logit, in logits, shaped like ``x``.

    Layers with weights follow the epsilon rule, ``R_i = x_i sum_j w_ij R_j / (z_j + epsilon sign z_j)``, with
    pre-activations ``z``. Pooling distributes relevance without epsilon, and activations pass it on unchanged. Biases
    keep their share of the relevance, and epsilon absorbs relevance where a pre-activation is small. As epsilon goes to
    0, the result for a ReLU network is input x gradient (Ancona et al. 2018, arXiv:1711.06104, prop. 1). It costs two
    forward passes and one backward pass.

    Args:
        model: classifier made of layers with a rule, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        epsilon: stabiliser of the denominator, in units of the pre-activations.
    """
    return _relevance(model, x, target, epsilon)


def _relevance(model: nn.Module, x: Tensor, target: Tensor, epsilon: float) -> Tensor:
    """Relevance by captum, with ``epsilon`` in layers with weights."""
    with traceless(model):
        for layer in layers(model):
            if type(layer) not in PASSES:
                vars(layer)["rule"] = EpsilonRule(epsilon if isinstance(layer, LINEAR) else EXACT)
        # captum looks for layers only inside the module that it is given
        explained = captum.attr.LRP(nn.Sequential(model)).attribute(x.detach().requires_grad_(), target)
    return explained.detach()
