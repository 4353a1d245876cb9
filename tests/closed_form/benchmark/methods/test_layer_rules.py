"""Methods that change the backward pass: against a loop over the layers that applies the rule by hand."""

import copy
import re
import warnings
from collections.abc import Callable

import captum.attr
import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, explain, methods
from xaiboard.benchmark.methods import lrp_epsilon
from xaiboard.benchmark.methods.shared import rescale_rule
from xaiboard.benchmark.toolkit.data import Reference
from xaiboard.models.layers import GroupSort2, HalfHuber, L2NormPool2d

Rule = Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]
"""What goes into a layer, from the layer, its input, its output and what comes out of it."""

RULES = ["guided_backprop", "deconvnet", "deeplift", "lrp_epsilon", "guided_gradcam"]
DETAILS = ("input", "output", "rule", "activations", "activation")
"""Attributes that captum puts on layers."""


def vjp(layer: nn.Module, a: Tensor, out: Tensor) -> Tensor:
    a = a.detach().requires_grad_()
    return torch.autograd.grad(layer(a), a, out)[0]


def backward(
    model: nn.Sequential, x: Tensor, target: Tensor, rule: Rule, start: Tensor | None = None
) -> Tensor:
    """Walks the layers back from the one-hot target."""
    steps, a = [], x
    for layer in model:
        z = copy.deepcopy(layer)(a.clone())  # a ReLU in place must not change what is kept
        steps.append((layer, a, z.detach()))
        a = z.detach()
    out = nn.functional.one_hot(target, a.shape[1]).to(x)
    if start is not None:
        out = out * start
    for layer, given, z in reversed(steps):
        out = rule(layer, given, z, out)
    return out


def one_unit(weight: float, bias: float, last: list[float], last_bias: float) -> nn.Sequential:
    """Logits ``last_k relu(weight x + bias) + last_bias``."""
    first, second = nn.Linear(1, 1), nn.Linear(1, 4)
    with torch.no_grad():
        first.weight.fill_(weight)
        first.bias.fill_(bias)
        second.weight.copy_(torch.tensor(last)[:, None])
        second.bias.fill_(last_bias)
    return nn.Sequential(first, nn.ReLU(), second).double().eval()


def guided(layer: nn.Module, a: Tensor, z: Tensor, out: Tensor) -> Tensor:
    return out.clamp_min(0) * (a > 0) if isinstance(layer, nn.ReLU) else vjp(layer, a, out)


def deconvolved(layer: nn.Module, a: Tensor, z: Tensor, out: Tensor) -> Tensor:
    return out.clamp_min(0) if isinstance(layer, nn.ReLU) else vjp(layer, a, out)


@pytest.fixture
def tanh(cnn: nn.Sequential) -> nn.Sequential:
    """The network with an activation that is not linear in pieces, and averaging."""
    layers = [*list(cnn)[:3], nn.Tanh(), nn.Dropout(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(5 * 2 * 1, 4)]
    return nn.Sequential(*layers).double().eval()


@pytest.fixture
def pooled(cnn: nn.Sequential) -> nn.Sequential:
    """The network with maxima."""
    return (
        nn.Sequential(*list(cnn)[:2], nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 5 * 4, 4)).double().eval()
    )


@pytest.mark.parametrize(("name", "rule"), [("guided_backprop", guided), ("deconvnet", deconvolved)])
def test_gradients_that_relus_cut(
    attribute: Callable[..., Tensor],
    cnn: nn.Sequential,
    images: Tensor,
    target: Tensor,
    name: str,
    rule: Rule,
) -> None:
    found = attribute(name, cnn, images, target)
    torch.testing.assert_close(found, backward(cnn, images, target, rule))
    assert not torch.allclose(found, attribute("saliency", cnn, images, target))


def test_the_two_ways_to_cut_differ_where_a_relu_is_closed(
    attribute: Callable[..., Tensor], target: Tensor
) -> None:
    """``relu(-1) = 0``, with a positive gradient from above: deconvolution lets it through."""
    model = one_unit(2.0, 0.0, [3.0, -5.0, 0.0, 7.0], 0.0)
    x = torch.tensor([[-1.0], [1.0], [1.0], [-1.0], [1.0]], dtype=torch.float64)
    assert attribute("guided_backprop", model, x, target).flatten().tolist() == [0, 14, 0, 0, 0]
    assert attribute("deconvnet", model, x, target).flatten().tolist() == [6, 14, 0, 0, 0]


def rescale(x: Tensor, baseline: Tensor, model: nn.Sequential) -> Rule:
    """The rescale rule of DeepLIFT; activations at the baseline are found by their order."""
    at_baseline, a = [], baseline
    for layer in model:
        z = copy.deepcopy(layer)(a.clone()).detach()
        at_baseline.append((a, z))
        a = z
    remaining = list(at_baseline)

    def rule(layer: nn.Module, a: Tensor, z: Tensor, out: Tensor) -> Tensor:
        other_a, other_z = remaining.pop()
        if isinstance(layer, nn.ReLU | nn.Tanh):
            return out * (z - other_z) / (a - other_a)
        return vjp(layer, a, out)

    return rule


@pytest.mark.parametrize("network", ["cnn", "tanh"])
@pytest.mark.parametrize("baseline", [0.0, 0.3])
def test_deeplift_is_the_rescale_rule_by_hand(
    attribute: Callable[..., Tensor],
    images: Tensor,
    target: Tensor,
    network: str,
    baseline: float,
    request: pytest.FixtureRequest,
) -> None:
    model = request.getfixturevalue(network)
    reference = torch.full_like(images, baseline)
    expected = backward(model, images, target, rescale(images, reference, model)) * (images - baseline)
    torch.testing.assert_close(attribute("deeplift", model, images, target, baseline=baseline), expected)


@pytest.mark.parametrize("network", ["cnn", "tanh", "pooled"])
def test_deeplift_is_complete(
    attribute: Callable[..., Tensor],
    images: Tensor,
    target: Tensor,
    network: str,
    request: pytest.FixtureRequest,
) -> None:
    model = request.getfixturevalue(network)
    found = attribute("deeplift", model, images, target, baseline=0.4)
    change = model(images) - model(torch.full_like(images, 0.4))
    torch.testing.assert_close(found.flatten(1).sum(1), change.gather(1, target[:, None])[:, 0].detach())


def test_deeplift_of_a_linear_model_is_weight_times_displacement(
    attribute: Callable[..., Tensor], linear: nn.Module, weight: Tensor, x: Tensor, target: Tensor
) -> None:
    found = attribute("deeplift", linear, x, target, baseline=0.3)
    torch.testing.assert_close(found, weight[target] * (x - 0.3))


def test_deeplift_of_a_product_is_not_its_gradient(attribute: Callable[..., Tensor], target: Tensor) -> None:
    """``1 - relu(1 - x)`` at 2: flat there, but it has risen by 1 since 0 (the example of the paper)."""
    model = one_unit(-1.0, 1.0, [-1.0] * 4, 1.0)
    x = torch.full((5, 1), 2.0, dtype=torch.float64)
    torch.testing.assert_close(attribute("deeplift", model, x, target), torch.ones_like(x))
    assert (attribute("input_x_gradient", model, x, target) == 0).all()


def test_maxima_that_do_not_change_do_not_mix_the_samples(
    attribute: Callable[..., Tensor], target: Tensor
) -> None:
    """Where an edge filter sees no change, the gradient is ``w_k`` times its weights, +1 and -1.

    captum takes that of the first sample.
    """
    edge, last = nn.Conv2d(1, 1, (1, 2), (1, 2), bias=False), nn.Linear(4, 4, bias=False)
    with torch.no_grad():
        edge.weight.copy_(torch.tensor([[[[1.0, -1.0]]]]))
    model = nn.Sequential(edge, nn.MaxPool2d((1, 1)), nn.Flatten(), last).double()
    flat = torch.full((5, 1, 2, 4), 0.5, dtype=torch.float64)
    expected = 0.5 * torch.stack([last.weight[target], -last.weight[target]], 2).view_as(flat)
    torch.testing.assert_close(attribute("deeplift", model, flat, target), expected.detach())


class Functional(nn.Module):
    """A ReLU that no hook on a layer sees, and what follows it."""

    def __init__(self, layers: nn.Sequential, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.last = layers[0], layers[5]
        self.flatten, self.pool, self.activation = nn.Flatten(), nn.AvgPool2d(2), activation

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.flatten(self.pool(self.activation(self.first(x))))
        return self.last(hidden[:, :60])


def test_deeplift_says_when_there_is_no_rule_for_what_the_model_does(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    with pytest.raises(
        XaiboardError, match=r"DeepLIFT does not add up on . of 5 inputs.*\(square in Functional\)"
    ):
        attribute("deeplift", Functional(cnn, torch.square), images, target)


class Residual(nn.Module):
    """Adds its input: linear outside of its layers, which the rule allows."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(9, 9)
        self.activation = nn.ReLU()
        self.last = nn.Linear(9, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x + self.activation(self.inner(x)))


def test_deeplift_of_a_residual_network_is_complete(attribute: Callable[..., Tensor], target: Tensor) -> None:
    model, x = Residual().double(), torch.rand(5, 9, dtype=torch.float64)
    found = attribute("deeplift", model, x, target).sum(1)
    torch.testing.assert_close(found, (model(x) - model(0 * x)).gather(1, target[:, None])[:, 0].detach())


def relevance(epsilon: float) -> Rule:
    """Relevance instead of gradients: each layer's share by its own formula."""

    def rule(layer: nn.Module, a: Tensor, z: Tensor, out: Tensor) -> Tensor:
        if isinstance(layer, nn.ReLU | nn.Tanh):
            return out
        small = epsilon if isinstance(layer, nn.Linear | nn.Conv2d) else 1e-30
        return a * vjp(layer, a, out / (z + torch.where(z < 0, -small, small)))

    return rule


@pytest.mark.parametrize("network", ["cnn", "tanh", "pooled"])
@pytest.mark.parametrize("epsilon", [0.01, 0.5])
def test_lrp_is_the_epsilon_rule_by_hand(
    attribute: Callable[..., Tensor],
    images: Tensor,
    target: Tensor,
    network: str,
    epsilon: float,
    request: pytest.FixtureRequest,
) -> None:
    model = request.getfixturevalue(network)
    expected = backward(model, images, target, relevance(epsilon), model(images).detach())
    torch.testing.assert_close(attribute("lrp_epsilon", model, images, target, epsilon=epsilon), expected)


@pytest.mark.parametrize("network", ["tanh", "pooled"])
def test_lrp_conserves_relevance_without_biases(
    attribute: Callable[..., Tensor],
    images: Tensor,
    target: Tensor,
    network: str,
    request: pytest.FixtureRequest,
) -> None:
    """The sum is the logit, less what epsilon absorbs, which vanishes with it."""
    model = request.getfixturevalue(network)
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d) and layer.bias is not None:
                layer.bias.zero_()
    logit = model(images).gather(1, target[:, None])[:, 0].detach()
    total = attribute("lrp_epsilon", model, images, target, epsilon=1e-10).flatten(1).sum(1)
    torch.testing.assert_close(total, logit, rtol=1e-5, atol=1e-7)
    absorbing = attribute("lrp_epsilon", model, images, target, epsilon=1.0).flatten(1).sum(1)
    assert (absorbing.abs() < 0.9 * logit.abs()).all()


def test_lrp_of_a_relu_network_tends_to_input_x_gradient(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    found = attribute("lrp_epsilon", cnn, images, target, epsilon=1e-10)
    expected = attribute("input_x_gradient", cnn, images, target)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)
    assert not torch.allclose(attribute("lrp_epsilon", cnn, images, target), expected, rtol=0.01)


def test_lrp_of_one_layer(attribute: Callable[..., Tensor], target: Tensor) -> None:
    """``x_i w_i z / (z + epsilon sign z)``, even if the model is that layer alone."""
    layer, x = nn.Linear(3, 4).double(), torch.rand(5, 3, dtype=torch.float64) - 0.5
    z = layer(x).gather(1, target[:, None])
    expected = x * layer.weight[target] * z / (z + 0.2 * z.sign())
    torch.testing.assert_close(attribute("lrp_epsilon", layer, x, target, epsilon=0.2), expected.detach())


def test_lrp_shares_by_batch_normalisation_as_by_any_layer_with_weights(
    attribute: Callable[..., Tensor], images: Tensor, target: Tensor
) -> None:
    normalise = nn.BatchNorm2d(3).double().eval()
    with torch.no_grad():
        normalise.running_mean.copy_(torch.tensor([0.1, 0.5, 0.9]))  # pyright: ignore[reportOptionalMemberAccess]
        normalise.weight.copy_(torch.tensor([1.0, -2.0, 3.0]))
    model = nn.Sequential(normalise, nn.Flatten(), nn.Linear(360, 4).double())

    def rule(layer: nn.Module, a: Tensor, z: Tensor, out: Tensor) -> Tensor:
        if isinstance(layer, nn.Flatten):
            return out.view_as(a)
        return a * vjp(layer, a, out / (z + torch.where(z < 0, -0.1, 0.1)))

    expected = backward(model, images, target, rule, model(images).detach())
    torch.testing.assert_close(attribute("lrp_epsilon", model, images, target, epsilon=0.1), expected)


Reason = Callable[..., str]


@pytest.mark.parametrize("name", ["guided_backprop", "deconvnet"])
def test_without_relu_there_is_nothing_to_cut(
    name: str, weight: Tensor, linear: nn.Module, cnn: nn.Sequential, reason_against: Reason
) -> None:
    assert reason_against(name, cnn, (3, 12, 10)) == ""
    nothing = "the model has no nn.ReLU, so that the result would be the plain gradient"
    assert reason_against(name, linear, weight.shape[1:]) == nothing
    for model in (nn.Sequential(nn.Linear(4, 4), GroupSort2()), nn.Sequential(HalfHuber())):
        assert reason_against(name, model, (4,)) == nothing


@pytest.mark.parametrize(
    "layer", [GroupSort2(), L2NormPool2d(1), HalfHuber(), nn.Softmax(1), nn.GELU(), nn.LayerNorm([3, 3])]
)
def test_deeplift_has_no_rule_for(layer: nn.Module, reason_against: Reason) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 2), layer, nn.Flatten())
    named = f"DeepLIFT has no rule for {type(layer).__name__}, and would silently take its gradient"
    assert reason_against("deeplift", model, (1, 4, 4)) == named
    with pytest.raises(XaiboardError, match=named):
        methods["deeplift"](model=model, x=torch.rand(1, 1, 4, 4), target=torch.zeros(1, dtype=torch.long))


def test_deeplift_of_a_layer_of_somebody_s_own_must_add_up(reason_against: Reason) -> None:
    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.square()

    class Normalise(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x - 0.3) / 0.2

    def network(layer: nn.Module) -> nn.Sequential:
        convolution = nn.Conv2d(1, 2, 3)
        nn.init.constant_(convolution.weight, 0.5)
        return nn.Sequential(layer, convolution, nn.ReLU(), nn.Flatten())

    assert reason_against("deeplift", network(Normalise())) == ""
    wrong, batches = network(Square()), []
    wrong[0].register_forward_pre_hook(lambda _, given: batches.append(len(given[0])))
    assert "does not add up on 16 of 16 inputs" in reason_against("deeplift", wrong)
    assert max(batches) == 2  # all logits of an image and its baseline together, which large images need


@pytest.mark.parametrize("layer", [GroupSort2(), L2NormPool2d(), HalfHuber(), nn.Softmax(1), nn.ELU()])
def test_lrp_has_no_rule_for(layer: nn.Module, reason_against: Reason) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), layer, nn.Flatten())
    assert reason_against("lrp_epsilon", model) == f"LRP has no rule for {type(layer).__name__}"


@pytest.mark.parametrize(("name", "what"), [("deeplift", "add up"), ("lrp_epsilon", "be input x gradient")])
def test_the_check_is_as_strict_as_the_dtype_allows(
    name: str, what: str, cnn: nn.Sequential, reason_against: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that is wrong by a hundred-thousandth passes for rounding in float32 alone."""
    shape = (3, 12, 10)
    assert reason_against(name, cnn, shape) == ""
    exact, slightly = lrp_epsilon._relevance, 1 + 1e-5
    monkeypatch.setattr(lrp_epsilon, "_relevance", lambda *given: exact(*given) * slightly)
    rescaled = rescale_rule._rescaled
    monkeypatch.setattr(rescale_rule, "_rescaled", lambda *given: rescaled(*given) * slightly)
    assert what in reason_against(name, cnn, shape)
    assert reason_against(name, cnn.float(), shape) == ""


class ByItsMean(nn.Module):
    """Divides an image by its mean, which a black one does not have."""

    def __init__(self, raises: bool, network: nn.Module) -> None:
        super().__init__()
        self.raises, self.network = raises, network

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((1, 2, 3), keepdim=True)
        if self.raises and (mean == 0).any():
            raise ValueError("black image")
        return self.network(x / mean)


@pytest.mark.parametrize(
    ("raises", "said"), [(True, "it raises ValueError: black image"), (False, "are not finite")]
)
def test_a_baseline_for_which_the_model_is_undefined_is_named(
    raises: bool, said: str, cnn: nn.Sequential, images: Tensor, target: Tensor, reason_against: Reason
) -> None:
    model = ByItsMean(raises, cnn)
    for name in ("deeplift", "integrated_gradients"):
        wanted = f"the model is undefined on the baseline, an image of 0: .*{said}; give another baseline="
        assert re.fullmatch(wanted, reason_against(name, model, (3, 12, 10)))
        assert "baseline" not in reason_against(name, model, (3, 12, 10), baseline=0.5)
    with pytest.raises(XaiboardError, match=r"'kernel_shap' (failed on the model: Val|must return finite)"):
        explain(model, "kernel_shap", images, target)


def test_what_is_not_finite_does_not_add_up(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    with pytest.raises(XaiboardError, match="DeepLIFT does not add up on 5 of 5 inputs"):
        attribute("deeplift", ByItsMean(False, cnn), images, target)


@pytest.mark.parametrize(
    ("dtype", "why"), [(torch.float16, "float16 rounds too"), (torch.float32, "there is no rule;")]
)
def test_the_rounding_of_coarse_numbers_is_named_where_nothing_else_is_to_blame(
    dtype: torch.dtype, why: str, cnn: nn.Sequential, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescale_rule, "rounding", lambda dtype: -1.0)
    x, target = images.to(dtype), torch.zeros(len(images), dtype=torch.int64)
    with pytest.raises(XaiboardError, match=f"DeepLIFT does not add up on 5 of 5 inputs: .*{why}"):
        rescale_rule.contributions(cnn.to(dtype), x, 0 * x, target)


def test_deeplift_shap_takes_images_for_baselines(cnn: nn.Sequential, reason_against: Reason) -> None:
    """On a black one the model is undefined, and no matter."""

    class Undefined(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return cnn(x if x.flatten(1).any(1).all() else x * torch.nan)

    assert "undefined on the baseline" in reason_against("deeplift", Undefined(), (3, 12, 10))
    assert reason_against("deeplift_shap", Undefined(), (3, 12, 10)) == ""


def test_lrp_applies_to_sequences_of_layers_with_a_rule(
    cnn: nn.Sequential, tanh: nn.Sequential, reason_against: Reason
) -> None:
    assert reason_against("lrp_epsilon", cnn, (3, 12, 10)) == ""
    assert reason_against("lrp_epsilon", nn.Sequential(tanh, nn.Tanh()), (3, 12, 10)) == ""
    assert "does outside of its layers" in reason_against("lrp_epsilon", Residual(), (9,))
    relu = nn.ReLU()
    assert "a ReLU '0' is used twice" in reason_against(
        "lrp_epsilon", nn.Sequential(relu, nn.Flatten(), relu)
    )


def test_lrp_refuses_a_stabiliser_that_does_not_stabilise(cnn: nn.Sequential, images: Tensor) -> None:
    with pytest.raises(XaiboardError, match="'epsilon' of 'lrp_epsilon' must be positive; got '0'"):
        methods["lrp_epsilon"](model=cnn, x=images, target=torch.zeros(5, dtype=torch.long), epsilon=0.0)


def test_deeplift_applies_to_layers_with_a_rule(
    cnn: nn.Sequential, tanh: nn.Sequential, reason_against: Reason
) -> None:
    parametrised = nn.utils.parametrizations.weight_norm(nn.Linear(10, 4))
    for model, shape in (
        (cnn, (3, 12, 10)),
        (tanh, (3, 12, 10)),
        (Residual(), (9,)),
        (nn.Sequential(parametrised, nn.Softplus()), (10,)),
        (nn.Sequential(nn.MaxPool2d(2), nn.Flatten()), (1, 12, 10)),
    ):
        assert reason_against("deeplift", model, shape) == ""


@pytest.mark.parametrize("name", RULES)
def test_nothing_stays_on_the_model_when_it_raises(
    attribute: Callable[..., Tensor], cnn: nn.Sequential, images: Tensor, target: Tensor, name: str
) -> None:
    def stop(*given: object) -> None:
        raise RuntimeError("half-way")

    handle = cnn[4].register_forward_hook(stop)
    with pytest.raises(RuntimeError, match="half-way"):
        attribute(name, cnn, images, target)
    handle.remove()
    for module in cnn.modules():
        assert not set(vars(module)) & set(DETAILS)
        kinds = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        assert not any(kinds)
    torch.testing.assert_close(attribute(name, cnn, images, target), attribute(name, cnn, images, target))


def test_deeplift_shap_over_all_backgrounds_is_that_of_captum(
    attribute: Callable[..., Tensor],
    background: Callable[[Tensor], Reference],
    cnn: nn.Sequential,
    images: Tensor,
    target: Tensor,
) -> None:
    reference = background(images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = captum.attr.DeepLiftShap(cnn).attribute(images, reference.samples, target).detach()
    for draws in (6, 100):
        torch.testing.assert_close(attribute("deeplift_shap", cnn, images, target, draws=draws), other)
    assert not torch.allclose(attribute("deeplift_shap", cnn, images, target, draws=5), other)


def test_deeplift_shap_draws_different_backgrounds_for_each_sample(
    attribute: Callable[..., Tensor],
    background: Callable[[Tensor], Reference],
    linear: nn.Module,
    weight: Tensor,
    x: Tensor,
    target: Tensor,
) -> None:
    """Of a linear model, one draw is ``w (x - b)``: b is a background image, and not always the same."""
    samples = background(x).samples
    found = x - attribute("deeplift_shap", linear, x, target, draws=1) / weight[target]
    distance = (found[:, None] - samples).flatten(2).norm(dim=2)
    assert (distance.amin(1) < 1e-9).all()
    assert len(distance.argmin(1).unique()) > 1


def test_deeplift_shap_needs_background_images(
    cnn: nn.Sequential, images: Tensor, target: Tensor, reason_against: Reason
) -> None:
    with pytest.raises(XaiboardError, match="'deeplift_shap' needs the data set's background images"):
        methods["deeplift_shap"](model=cnn, x=images, target=target, reference=None)
    sorts = nn.Sequential(nn.Flatten(), GroupSort2())
    assert "no rule for GroupSort2" in reason_against("deeplift_shap", sorts)
