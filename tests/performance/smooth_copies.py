"""Which smooth copy of a network takes attacks on maps furthest: sharpness, its unit, and what becomes of pooling.

Run it by hand: ``python tests/performance/smooth_copies.py``. It prints the share of the top pixels that
``topk_attack`` leaves when it differentiates each copy, and the difference to the network itself. It is no test,
because which copy is best is a finding and no promise.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.perturbations.shared.smooth_copy import SmoothMaxPool, SmoothReLU, smooth_copy
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.toolkit.rng import SampleRng

MODELS = "lipmlp.hkr,lipcnn.hkr,lipcnn.ce,cnn.lipschitz_penalty,mlp.standard,cnn.standard,max-pooling"
SHARPNESS = (1.0, 5.0, 10.0, 20.0, 100.0)
SHARPENED = (2.0, 5.0, 10.0)


def absolute(model: nn.Module, beta: float) -> nn.Module:
    """As in the papers: one sharpness for all layers, whatever the size of what they compute."""
    return swap(smooth_copy(model, beta), SmoothReLU, lambda: nn.Softplus(beta))


def hard_pools(model: nn.Module, beta: float) -> nn.Module:
    """As in the papers: max-pooling stays."""
    pools = iter([layer for layer in model.modules() if isinstance(layer, nn.MaxPool2d)])
    return swap(smooth_copy(model, beta), SmoothMaxPool, lambda: next(pools))


def swap(model: nn.Module, kind: type[nn.Module], other: Callable[[], nn.Module]) -> nn.Module:
    """The model with its layers of a kind replaced."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, kind):
                setattr(parent, name, other())
    return model


class SmoothCopy(NamedTuple):
    """What is differentiated instead of the model: a network, and the sharpness of the copy that the attack makes."""

    network: nn.Module
    beta: float = math.inf


def smooth_copies(model: nn.Module, dataset: str) -> dict[str, SmoothCopy]:
    """Copies of one sharpness throughout, but for those that are sharpened with each step, as the attacks do."""
    named = {"the network": SmoothCopy(model)}
    if any(isinstance(layer, SmoothReLU | SmoothMaxPool) for layer in smooth_copy(model, 1.0).modules()):
        named |= {f"smooth, {beta:g}": SmoothCopy(smooth_copy(model, beta)) for beta in SHARPNESS}
        named |= {f"smooth, sharpened from {beta:g}": SmoothCopy(model, beta) for beta in SHARPENED}
        named |= {f"smooth, {beta:g} in all layers": SmoothCopy(absolute(model, beta)) for beta in SHARPNESS}
    if any(isinstance(layer, nn.MaxPool2d) for layer in model.modules()):
        named["smooth, 10, but for pooling"] = SmoothCopy(hard_pools(model, 10.0))
    standard = xb.load_model("cnn.standard", dataset=dataset)
    named["transfer: cnn.standard, smooth, sharpened from 5"] = SmoothCopy(standard, 5.0)
    return named


def network(name: str, dataset: str, shape: tuple[int, ...]) -> nn.Module:
    """A shipped network, or one with max-pooling and random weights, which none of the shipped ones has."""
    if name != "max-pooling":
        return xb.load_model(name, dataset=dataset)
    torch.manual_seed(0)
    first = nn.Conv2d(shape[0], 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
    second = nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    side = (shape[1] // 4) * (shape[2] // 4)
    return nn.Sequential(*first, *second, nn.Linear(32 * side, 64), nn.ReLU(), nn.Linear(64, 10)).eval()


def saliency(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Gradient of the explained logit."""
    return xb.methods["saliency"](model=model, x=x, target=target)


def kept(model: nn.Module, x: Tensor, changed: Tensor, k: int) -> Tensor:
    """Share of the top pixels that are top pixels of the changed images too, ``(B,)``."""
    target = model(x).argmax(1)
    a, b = saliency(model, x, target), saliency(model, changed, target)
    return xb.metrics["topk_intersection"](attribution=a, perturbed_attribution=b, k=k)[""]


def attacked(model: nn.Module, x: Tensor, smooth: SmoothCopy, options: argparse.Namespace) -> Tensor:
    """The images after ``topk_attack`` through the copy."""
    logits = model(x).detach()
    target = logits.argmax(1)
    given = {
        "model": model,
        "x": x,
        "target": target,
        "logits": logits,
        "attribution": saliency(model, x, target),
        "explain": lambda z: saliency(model, z, target),
        "method": "saliency",
        "other_model": smooth.network,
        "rng": SampleRng(0, range(len(x)), "twins"),
    }
    attack = xb.perturbations["topk_attack"]
    settings = {"k": options.k, "eps": options.eps, "steps": options.steps, "beta": smooth.beta}
    return attack(**{name: given[name] for name in attack.supplied}, **settings)


def rows(name: str, dataset: str, options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One network: noise of the same radius, and the attack through each copy."""
    x = xb.load_data(dataset, samples=options.samples).x
    model = network(name, dataset, tuple(x.shape[1:])).requires_grad_(requires_grad=False)
    rng = SampleRng(0, range(len(x)), "noise")
    noisy = xb.perturbations["sign_noise"](x=x, rng=rng, eps=options.eps)
    found = {"(sign noise)": kept(model, x, noisy, options.k)}
    for label, smooth in smooth_copies(model, dataset).items():
        found[label] = kept(model, x, attacked(model, x, smooth, options), options.k)
    for label, score in found.items():
        gap = score - found["the network"]
        yield {
            "data": dataset,
            "network": name,
            "differentiated": label,
            "kept": f"{score.mean():.3f}",
            "difference": f"{gap.mean():+.3f} +- {1.96 * gap.std() / len(x) ** 0.5:.3f}",
        }


def main() -> None:
    """Prints a table for each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--datasets", default="digits,fashion-mnist")
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--eps", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--k", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for dataset in options.datasets.split(","):
        for name in options.models.split(","):
            print(markdown(pd.DataFrame(rows(name, dataset, options))), flush=True)


if __name__ == "__main__":
    main()
