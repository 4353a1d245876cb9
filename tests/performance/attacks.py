"""What attacks cost over the passes that they need: forward, backward, and the backward pass through a gradient.

Run it by hand: ``python tests/performance/attacks.py``. Times are processor time of one thread, and the floor is
measured in the same run, so that a busy or a slow machine does not matter much; it is no test, because a time that
fails a build proves nothing there.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from functools import partial

import pandas as pd
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.engine.passes import count_passes
from xaiboard.benchmark.perturbations.shared.smooth_copy import smooth_copy
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.toolkit.rng import SampleRng

ATTACKS = "topk_attack,lens_attack,mass_center_attack,target_attack,best_of_random,pgd,adversarial_explanation_attack"
RESTARTED = "best_of_random"


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor time of the shortest of several runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def saliency(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Gradient of the explained logit."""
    return xb.methods["saliency"](model=model, x=x, target=target)


def floors(model: nn.Module, x: Tensor, target: Tensor, repeats: int) -> tuple[float, float, float]:
    """One batch forward; forward and backward; and through the backward pass of the smooth copy as well."""
    smooth = smooth_copy(model, 5.0)

    def forward() -> None:
        with torch.no_grad():
            model(x)

    def gradient(network: nn.Module, *, create_graph: bool = False) -> tuple[Tensor, Tensor]:
        leaf = x.clone().requires_grad_()
        logit = network(leaf).gather(1, target[:, None]).sum()
        return leaf, torch.autograd.grad(logit, leaf, create_graph=create_graph)[0]

    def twice() -> None:
        leaf, found = gradient(smooth, create_graph=True)
        torch.autograd.grad(found.abs().sum(), leaf)

    return seconds(forward, repeats), seconds(lambda: gradient(model), repeats), seconds(twice, repeats)


def row(name: str, model: nn.Module, x: Tensor, options: argparse.Namespace) -> dict[str, object]:
    """Passes of an attack, one sample, its time, and that of the passes alone."""
    logits = model(x).detach()
    target = logits.argmax(1)
    differentiated = copy.deepcopy(model)  # another network to count its passes apart
    attack = xb.perturbations[name]
    settings = {"steps": options.steps} | ({"restarts": 1} if name == RESTARTED else {})

    def run() -> None:
        given = {
            "model": model,
            "x": x,
            "target": target,
            "logits": logits,
            "attribution": saliency(model, x, target),
            "explain": lambda z: saliency(model, z, target),
            "method": "saliency",
            "other_model": differentiated,
            "rng": SampleRng(0, range(len(x)), name),
        }
        attack(**{key: given[key] for key in attack.supplied}, **settings)

    with count_passes(model) as judged, count_passes(differentiated) as smooth:
        run()
    forward, gradient, twice = (value / len(x) for value in floors(model, x, target, 5 * options.repeats))
    floor = (
        (judged.forward - judged.backward) * forward + judged.backward * gradient + smooth.backward * twice
    )
    spent = seconds(run, options.repeats)
    return {
        "attack": name,
        "forward": (judged.forward + smooth.forward) / len(x),
        "backward": (judged.backward + smooth.backward) / len(x),
        "double backward": smooth.backward / len(x),
        "ms": round(1000 * spent / len(x), 2),
        "floor ms": round(1000 * floor / len(x), 2),
        "/ floor": round(spent / floor, 2),
    }


def main() -> None:
    """Prints a table for each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--models", default="cnn.standard,lipcnn.hkr,lipmlp.hkr")
    parser.add_argument("--attacks", default=ATTACKS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    x = xb.load_data("digits", samples=options.samples).x
    for name in options.models.split(","):
        model = xb.load_model(name, dataset="digits").requires_grad_(requires_grad=False)
        of = partial(row, model=model, x=x, options=options)
        table = [{"network": name, **of(attack)} for attack in options.attacks.split(",")]
        print(markdown(pd.DataFrame(table)), flush=True)


if __name__ == "__main__":
    main()
