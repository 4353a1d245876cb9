"""What methods and metrics take over the floor: the bare passes at their best batch size, in the faster layout.

Run it by hand: ``python tests/performance/floor.py [--threads 2] [--networks squeezenet,cnn.standard,mlp.standard]``.
Component and floor take turns, and the median of their ratios is printed, so that a busy machine does not matter much;
beside it, that to the floor and the time in which the random numbers were drawn. With one thread, processor time is
measured. It is no test: a time proves nothing on another machine. SqueezeNet is read from the folder ``networks``
beside that of ``XAIBOARD_DATA``, and left out where it is not there.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from unittest.mock import patch

import pandas as pd
import torch
import xaiboard.benchmark as xb
from safetensors.torch import load_file
from sklearn.datasets import load_sample_images
from torch import Tensor, nn
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.engine.applies import needs_method, needs_perturbation
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.passes import count_passes
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.methods import rise
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.subjects.examination import examined
from xaiboard.benchmark.subjects.trained_models import TrainedModel, wrap
from xaiboard.benchmark.toolkit.data import Data
from xaiboard.benchmark.toolkit.rng import SampleRng

METHODS = "integrated_gradients", "smoothgrad", "rise", "occlusion"
SMALL = (*METHODS, "deletion", "insertion", "max_sensitivity", "lens_recall")
LARGE = (
    *("integrated_gradients[steps=8]", "smoothgrad[draws=8]", "rise[draws=16]", "occlusion[stride=33]"),
    *("deletion[patch=57,orders=1,steps=8]", "insertion[patch=57,orders=1,steps=8]"),
    *("max_sensitivity", "lens_recall"),
)  # fmt: skip
"""Few passes of a kind are enough to measure. Settings in pixels grow by themselves; larger ones take fewer passes."""

EXPLAINED = {28: "integrated_gradients", 227: "integrated_gradients[steps=8]"}
"""The method whose maps LENS compares; a sensitivity explains by the gradient."""

DRAWING = [(SampleRng, "__init__"), (SampleRng, "_filled"), (SampleRng, "permutation"), (rise, "_numbers")]
"""What draws random numbers."""

Work = Callable[[], object]


def squeezenet(samples: int) -> tuple[TrainedModel, Data] | None:
    """SqueezeNet with crops of scikit-learn's photographs, if it is there."""
    folder = Path(os.environ.get("XAIBOARD_DATA", "")).parent / "networks" / "squeezenet10"
    if not folder.is_dir():
        return None
    sys.path.insert(0, str(folder))
    model = import_module("squeezenet10").SqueezeNet10()
    weights = load_file(folder / "squeezenet10.safetensors")
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    photos = [torch.from_numpy(each.copy()).permute(2, 0, 1) / 255 for each in load_sample_images().images]
    corners = [(top, left) for top in range(0, 200, 20) for left in range(0, 400, 20)]
    crops = [
        photos[at % 2][:, top:, left:][:, :227, :227] for at, (top, left) in enumerate(corners[:samples])
    ]
    x = torch.stack(crops)
    return wrap(model, "squeezenet"), Data(x, torch.zeros(len(x), dtype=torch.long), [""] * 1000)


def network(name: str, samples: int) -> tuple[TrainedModel, Data] | None:
    """A network in the layout in which it is explained, and images."""
    if name == "squeezenet":
        found = squeezenet(samples)
        return found and (examined(found[0], found[1].x), found[1])
    data = xb.load_data("digits", samples=samples)
    return examined(wrap(xb.load_model(name, dataset="digits"), name), data.x), data


def forward(model: nn.Module, x: Tensor) -> None:
    """A bare forward pass."""
    with torch.no_grad():
        model(x)


def both(model: nn.Module, x: Tensor) -> None:
    """A bare forward pass, and the backward pass to the input."""
    leaf = x.detach().requires_grad_()
    torch.autograd.grad(model(leaf)[:, 0].sum(), leaf)


def clock() -> float:
    """Processor time of one thread; of several, which wait for each other, the time that passes."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def seconds(work: Work, least: float = 0.0) -> float:
    """How long ``work`` takes, repeated until ``least`` seconds are spent."""
    start, runs = clock(), 0
    while not runs or clock() - start < least:
        work()
        runs += 1
    return (clock() - start) / runs


@contextmanager
def drawing() -> Iterator[list[float]]:
    """Collects the seconds that random numbers take meanwhile."""
    spent: list[float] = []

    def timed(call: Callable[..., object]) -> Callable[..., object]:
        def run(*given: object, **named: object) -> object:
            start = clock()
            try:
                return call(*given, **named)
            finally:
                spent.append(clock() - start)

        return run

    with ExitStack() as stack:
        for owner, name in DRAWING:
            stack.enter_context(patch.object(owner, name, timed(getattr(owner, name))))
        yield spent


def best_batch(model: nn.Module, x: Tensor, work: Callable[[nn.Module, Tensor], None]) -> Tensor:
    """The batch of images on which a pass costs least for an image; small networks get larger batches."""
    most = 16 if min(x.shape[2:]) > 64 else 512
    sizes = [size for size in (1, 4, 8, 16, 32, 64, 128, 256, 512) if size <= most]
    batches = [x.repeat(-(-size // len(x)), 1, 1, 1)[:size].clone() for size in sizes]
    times = [min(seconds(lambda b=b: work(model, b), 0.1) for _ in range(3)) / len(b) for b in batches]
    return batches[times.index(min(times))]


def rows(
    trained: TrainedModel, data: Data, components: Sequence[str], repeats: int
) -> Iterator[dict[str, object]]:
    """A row for each component."""
    model, (gradient,) = trained.module, select(xb.methods, "saliency")
    (explained,) = select(xb.methods, EXPLAINED[min(data.x.shape[2:])])
    (noise,) = select(xb.perturbations, "sign_noise")
    going, returning = (best_batch(model, data.x, work) for work in (forward, both))
    for name in components:
        is_method = name.split("[")[0] in xb.methods
        (choice,) = select(xb.methods if is_method else xb.metrics, name)
        perturbed = not is_method and needs_perturbation(choice.component)

        def ready(choice=choice, is_method=is_method, perturbed=perturbed) -> tuple[Values, Work]:  # noqa: ANN001
            """Fresh values, with what is known before, and the work on them."""
            values = Values(trained, data, None, Conditions(), Batcher(None, "cpu"))
            _ = values.target
            if is_method:
                return values, lambda: values.attribution(choice)
            method = explained if perturbed else gradient if needs_method(choice.component) else None
            if method is gradient:
                values.attribution(gradient)
            return values, lambda: score(values, choice, method, noise if perturbed else None)

        _, work = ready()
        with count_passes(model) as passes:
            least = seconds(work)
        alone, ratios, with_numbers, taken = passes.forward - passes.backward, [], [], []
        for _ in range(repeats):
            part = min(least, 2.0)
            before = bare(model, alone, passes.backward, going, returning, part)
            work = ready()[1]
            with drawing() as numbers:
                taken.append(seconds(work))
            after = bare(model, alone, passes.backward, going, returning, part)
            floor = (before + after) / 2
            ratios.append(taken[-1] / floor)
            with_numbers.append(taken[-1] / (floor + sum(numbers)))
        yield {
            "network": trained.name, "component": name, "forward": passes.forward / len(data),
            "backward": passes.backward / len(data), "ms an image": round(1000 * median(taken) / len(data), 2),
            "/ floor": round(median(ratios), 2), "from": round(min(ratios), 2), "to": round(max(ratios), 2),
            "/ (floor + random numbers)": round(median(with_numbers), 2),
        }  # fmt: skip


def bare(
    model: nn.Module, alone: float, back: float, going: Tensor, returning: Tensor, least: float
) -> float:
    """Processor seconds of so many forward passes alone, and of so many with a backward pass."""
    total = 0.0
    if alone:
        total += alone * seconds(lambda: forward(model, going), least / 2) / len(going)
    if back:
        total += back * seconds(lambda: both(model, returning), least / 2) / len(returning)
    return total


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--networks", default="squeezenet,cnn.standard,mlp.standard")
    parser.add_argument("--components", default="", help="separated by spaces; those of the table by default")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=int, default=64, help="of 28 x 28; of SqueezeNet's there are a few")
    parser.add_argument("--large-samples", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    table: list[dict[str, object]] = []
    for name in options.networks.split(","):
        found = network(name, options.large_samples if name == "squeezenet" else options.samples)
        if found is None:
            print(f"{name} is not there: left out")
            continue
        components = options.components.split() or (LARGE if name == "squeezenet" else SMALL)
        for row in rows(*found, components, options.repeats):
            print(*row.values(), file=sys.stderr, flush=True)
            table.append(row)
    print(markdown(pd.DataFrame(table)))


if __name__ == "__main__":
    main()
