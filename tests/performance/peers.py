"""The same attribution or metric by captum or Quantus, with as many evaluations of the model."""

from __future__ import annotations

from collections.abc import Callable

import captum.attr
import torch
from torch import Tensor, nn
from xaiboard.benchmark.toolkit.data import Data

Run = Callable[[], object]
Peer = Callable[..., Run]
"""Given a model, images and their targets: what computes the scores of all images when it is called.

A peer of a metric takes the method whose maps are scored as well, ``explain(model, x, target)``; else the gradient.
"""

Explain = Callable[[nn.Module, Tensor, Tensor], Tensor]

BATCH = 64


def saliency(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """The gradient of the explained logit."""
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(model(leaf).gather(1, target[:, None]).sum(), leaf)[0]


def _batches(data: Data, target: Tensor) -> list[tuple[Tensor, Tensor]]:
    return list(zip(data.x.split(BATCH), target.split(BATCH), strict=True))


def _attribute(make: Callable[[nn.Module], captum.attr.Attribution], **settings: object) -> Peer:
    def peer(model: nn.Module, data: Data, target: Tensor) -> Run:
        method = make(model)

        def run() -> None:
            for x, classes in _batches(data, target):
                method.attribute(x.clone().requires_grad_(), target=classes, **settings)  # pyright: ignore

        return run

    return peer


def _on_patches(make: Callable[[nn.Module], captum.attr.Attribution], **settings: object) -> Peer:
    """One image at a time where captum asks for it: its surrogate models take one set of features."""

    def peer(model: nn.Module, data: Data, target: Tensor) -> Run:
        method, (height, width) = make(model), data.x.shape[2:]
        rows, columns = torch.arange(height) // 4, torch.arange(width) // 4
        patches = (rows[:, None] * int(columns.max() + 1) + columns).expand(1, data.x.shape[1], -1, -1)

        def run() -> None:
            for x, classes in zip(data.x.split(1), target.split(1), strict=True):
                method.attribute(x, target=classes, feature_mask=patches, **settings)  # pyright: ignore

        return run

    return peer


def _last_convolution(model: nn.Module) -> nn.Module:
    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)][-1]


def _smooth(kind: str) -> Peer:
    return _attribute(
        lambda model: captum.attr.NoiseTunnel(captum.attr.Saliency(model)),
        nt_type=kind,
        nt_samples=25,
        nt_samples_batch_size=1,
        stdevs=0.15,
        abs=False,
    )


def _occlusion(model: nn.Module, data: Data, target: Tensor) -> Run:
    window = {"sliding_window_shapes": (data.x.shape[1], 4, 4), "strides": (data.x.shape[1], 2, 2)}
    return _attribute(captum.attr.Occlusion, **window)(model, data, target)


def _gradient_shap(model: nn.Module, data: Data, target: Tensor) -> Run:
    return _attribute(captum.attr.GradientShap, baselines=data.x, n_samples=32)(model, data, target)


METHOD_PEERS: dict[str, Peer] = {
    "saliency": _attribute(captum.attr.Saliency, abs=False),
    "input_x_gradient": _attribute(captum.attr.InputXGradient),
    "integrated_gradients": _attribute(
        captum.attr.IntegratedGradients, n_steps=32, internal_batch_size=BATCH
    ),
    "smoothgrad": _smooth("smoothgrad"),
    "smoothgrad_squared": _smooth("smoothgrad_sq"),
    "vargrad": _smooth("vargrad"),
    "occlusion": _occlusion,
    "gradcam": _attribute(lambda model: captum.attr.LayerGradCam(model, _last_convolution(model))),
    "guided_gradcam": _attribute(lambda model: captum.attr.GuidedGradCam(model, _last_convolution(model))),
    "guided_backprop": _attribute(captum.attr.GuidedBackprop),
    "deconvnet": _attribute(captum.attr.Deconvolution),
    "deeplift": _attribute(captum.attr.DeepLift),
    "gradient_shap": _gradient_shap,
    "lrp_epsilon": _attribute(captum.attr.LRP),
    "feature_ablation": _on_patches(captum.attr.FeatureAblation),
    "shapley_sampling": _on_patches(captum.attr.ShapleyValueSampling, n_samples=8),
    "kernel_shap": _on_patches(captum.attr.KernelShap, n_samples=256),
    "lime": _on_patches(captum.attr.Lime, n_samples=256),
}


def _quantus(
    name: str, *, in_steps: int = 0, mask: bool = False, explains: bool = False, **settings: object
) -> Peer:
    """A metric of Quantus; ``in_steps`` gives it as many steps over the features."""

    def peer(model: nn.Module, data: Data, target: Tensor, explain: Explain = saliency) -> Run:
        import quantus

        if in_steps:
            settings["features_in_step"] = data.x[0].numel() // in_steps
        metric = getattr(quantus, name)(
            abs=False, normalise=False, disable_warnings=True, display_progressbar=False, **settings
        )
        given = {
            "model": model,
            "x_batch": data.x.numpy(),
            "y_batch": target.numpy(),
            "a_batch": explain(model, data.x, target).numpy(),
            "s_batch": None if not mask or data.mask is None else data.mask.numpy(),
            "explain_func": _for_quantus(explain) if explains else None,
            "batch_size": BATCH,
            "device": "cpu",
        }
        return lambda: metric(**{key: value for key, value in given.items() if value is not None})

    return peer


def _for_quantus(explain: Explain) -> Callable[..., object]:
    """A method with the signature that Quantus calls."""

    def explain_func(model: nn.Module, inputs: object, targets: object, **_: object) -> object:
        return explain(model, torch.as_tensor(inputs).float(), torch.as_tensor(targets).long()).numpy()

    return explain_func


METRIC_PEERS: dict[str, Peer] = {
    "deletion": _quantus("PixelFlipping", in_steps=28),
    "monotonicity_arya": _quantus("Monotonicity", in_steps=28),
    "mu_fidelity": _quantus("FaithfulnessCorrelation", nr_runs=200, subset_size=150),
    "infidelity": _quantus("Infidelity", n_perturb_samples=6, perturb_patch_sizes=[7]),  # each of 32 patches
    "sensitivity_n": _quantus("SensitivityN", in_steps=8),
    "completeness": _quantus("Completeness"),
    "max_sensitivity": _quantus("MaxSensitivity", explains=True, nr_samples=10, lower_bound=0.02),
    "average_sensitivity": _quantus("AvgSensitivity", explains=True, nr_samples=10, lower_bound=0.02),
    "local_lipschitz_estimate": _quantus("LocalLipschitzEstimate", explains=True, nr_samples=10),
    "relative_input_stability": _quantus("RelativeInputStability", explains=True, nr_samples=10),
    "relative_output_stability": _quantus("RelativeOutputStability", explains=True, nr_samples=10),
    "gini": _quantus("Sparseness"),
    "entropy": _quantus("Complexity"),
    "effective_complexity": _quantus("EffectiveComplexity"),
    "pointing_game": _quantus("PointingGame", mask=True),
    "relevance_mass": _quantus("RelevanceMassAccuracy", mask=True),
    "relevance_rank": _quantus("RelevanceRankAccuracy", mask=True),
    "random_logit": _quantus("RandomLogit", explains=True, num_classes=10),
    "mprt": _quantus("MPRT", explains=True),
    "emprt": _quantus("EfficientMPRT", explains=True),
}
