"""What every method and metric costs: passes, time over the floor of those passes, memory, and peers.

Run it by hand: ``python tests/performance/components.py [--size 224] [PATTERN ...]``. Each row is measured in a process
of its own and in processor time, so that a busy machine does not matter much. It is no test: a time proves nothing on
another machine.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import torch
import xaiboard.benchmark as xb
from peers import METHOD_PEERS, METRIC_PEERS, Peer
from torch import Tensor, nn
from torch.nn.functional import relu
from xaiboard.benchmark.components.choice import Choice
from xaiboard.benchmark.components.kinds import Method
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.engine.applies import missing_library, needs_method, needs_perturbation
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.passes import count_passes
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.subjects.trained_models import TrainedModel
from xaiboard.benchmark.toolkit.data import Data, Reference

FEW = 10
"""Passes from which a component is held against the floor: below, the floor is a fraction of a millisecond."""


class Bottleneck(nn.Module):
    """A residual block of ResNet-50."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = 4 * width
        self.branch = nn.Sequential(
            *(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, out, 1, bias=False), nn.BatchNorm2d(out)),
        )
        self.shortcut = nn.Sequential()
        if stride > 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.branch(x) + self.shortcut(x))


def resnet50(classes: int) -> nn.Sequential:
    """A network of the size of ResNet-50, with random weights: ``(B, 3, 224, 224)`` to ``(B, classes)``."""
    layers, channels = [], 64
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512))):
        for block in range(blocks):
            layers.append(Bottleneck(channels, width, 2 if stage and not block else 1))
            channels = 4 * width
    stem = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
    return nn.Sequential(*stem, *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def setting(size: int, samples: int) -> tuple[nn.Module, Data, Reference]:
    """Model, images and statistics: digits with the shipped network, else noise and a large random network."""
    if size == 28:
        data = xb.load_data("block-digits", samples=samples)
        train = xb.load_data("block-digits", split="train", samples=32)
        return (
            xb.load_model("cnn.standard", dataset="block-digits"),
            data,
            Reference(train.x.mean(0), train.x),
        )
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    x = torch.rand(samples, 3, size, size, generator=generator)
    mask = torch.zeros(samples, 1, size, size, dtype=torch.bool)
    mask[:, :, : size // 2] = True
    label = torch.arange(samples) % 10
    model = resnet50(10).eval().requires_grad_(False)
    return model, Data(x, label, [str(i) for i in range(10)], mask), Reference(x.mean(0), x)


def processor_seconds(work: Callable[[], object], least: float = 0.2) -> float:
    """Processor time of the shortest of several runs; at least one run, until ``least`` seconds are spent."""
    times: list[float] = []
    while not times or (sum(times) < least and len(times) < 20):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def floor_seconds(model: nn.Module, x: Tensor) -> tuple[float, float]:
    """One sample's forward pass, and its backward pass to the input, at the best batch size."""

    def both(batch: Tensor) -> None:
        leaf = batch.clone().requires_grad_()
        torch.autograd.grad(model(leaf)[:, 0].sum(), leaf)

    batches = [x[:size] for size in (1, 4, 16, 64, 256) if size <= len(x)]
    with torch.no_grad():
        forward = min(processor_seconds(lambda b=b: model(b)) / len(b) for b in batches)
    return forward, min(processor_seconds(lambda b=b: both(b)) / len(b) for b in batches) - forward


def peak_mebibytes(work: Callable[[], object]) -> float:
    """Memory that ``work`` takes at its peak, beyond what is taken before."""
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before = _status("VmRSS")
    work()
    return round((_status("VmHWM") - before) / 1024)


def _status(name: str) -> int:
    """A line of the process's status, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def in_a_process(measure: Callable[[], dict[str, float]], limit: float) -> dict[str, object]:
    """What ``measure`` returns in a fork; a ``note`` if it fails or takes longer than ``limit`` seconds."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            answer: dict[str, object] = dict(measure())
        except Exception as error:  # a row says what failed, and the table goes on
            answer = {"note": f"{type(error).__name__}: {error}".replace("\n", " ")[:90]}
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    start = time.monotonic()
    while True:
        if os.waitpid(child, os.WNOHANG)[0]:
            break
        if time.monotonic() - start > limit:
            os.kill(child, 9)
            os.waitpid(child, 0)
            os.close(reading)
            return {"note": f"stopped after {limit:g} s"}
        time.sleep(0.02)
    with os.fdopen(reading) as pipe:
        return json.loads(pipe.read() or '{"note": "killed"}')


def measure_peer(peer: Peer, model: nn.Module, data: Data, target: Tensor) -> dict[str, float]:
    """Processor time and memory of a peer."""
    run = peer(model, data, target)
    run()
    return {"MiB": peak_mebibytes(run), "seconds": processor_seconds(run)}


def rows(
    choices: list[Choice], model: nn.Module, data: Data, reference: Reference, limit: float
) -> Iterator[dict[str, object]]:
    """A row for each component."""
    forward, backward = floor_seconds(model, data.x)
    trained = TrainedModel("model", "own", model, "", lipschitz=None)
    (saliency,) = select(xb.methods, "saliency")
    (noise,) = select(xb.perturbations, "sign_noise")
    target = model(data.x).argmax(1)

    def fresh() -> Values:
        return Values(trained, data, reference, Conditions(), Batcher(None, "cpu"))

    for choice in choices:
        component = choice.component
        is_method = isinstance(component, Method)
        if reason := choice.reason_against(model) or (not is_method and missing_library(component)):
            yield {"component": choice.label, "note": reason}
            continue

        def run(values: Values, choice: Choice = choice, is_method: bool = is_method) -> None:
            if is_method:
                values.attribution(choice)
                return
            method = saliency if needs_method(choice.component) else None
            score(values, choice, method, noise if needs_perturbation(choice.component) else None)

        def ready(choice: Choice = choice, is_method: bool = is_method) -> Values:
            """What other cells compute as well is there already: logits, the map, its perturbed copy."""
            values = fresh()
            if not is_method and needs_method(choice.component):
                values.attribution(saliency)
                if needs_perturbation(choice.component):
                    values.perturbed_attribution(noise, saliency)
                    values.held(noise, saliency)
            _ = values.target
            share(values, choice)
            return values

        def share(values: Values, choice: Choice = choice) -> None:
            """What serves every method is computed once for a model."""
            for value in getattr(choice.component, "shared", ()):
                values.shared(choice, value)

        def measure_once() -> dict[str, float]:
            _ = (values := fresh()).target
            with count_passes(model) as passes:
                share(values)

            def again() -> None:
                _ = (values := fresh()).target
                share(values)

            once = processor_seconds(again) - processor_seconds(lambda: fresh().target)
            return {"forward": passes.forward, "backward": passes.backward, "seconds": once}

        def measure() -> dict[str, float]:
            run(ready())
            values = ready()
            memory = peak_mebibytes(lambda: run(values))
            values = ready()
            with count_passes(model) as passes:
                run(values)
            best, left = float("inf"), 0.5
            while best == float("inf") or left > 0:
                values = ready()
                begin = time.process_time()
                run(values)
                spent = time.process_time() - begin
                best, left = min(best, spent), left - spent
            return {"forward": passes.forward, "backward": passes.backward, "seconds": best, "MiB": memory}

        found = in_a_process(measure, limit)
        row: dict[str, object] = {"component": choice.label}
        if "seconds" not in found:
            yield row | found
            continue
        spent, went, back = (float(str(found[key])) for key in ("seconds", "forward", "backward"))
        bare = went * forward + back * backward
        row |= {
            "forward": went / len(data),
            "backward": back / len(data),
            "ms": round(1000 * spent / len(data), 3),
            "/ floor": round(spent / bare, 2) if went / len(data) >= FEW else None,
            "MiB": found["MiB"],
        }
        if getattr(component, "shared", ()):
            once = in_a_process(measure_once, limit)
            if "seconds" in once:
                spent_once, went, back = (float(str(once[key])) for key in ("seconds", "forward", "backward"))
                row |= {
                    "once: passes": round((went + back) / len(data)),
                    "ms once": round(1000 * spent_once / len(data), 3),
                }
                if went / len(data) >= FEW:
                    row["once / floor"] = round(spent_once / (went * forward + back * backward), 2)
        peer = (METHOD_PEERS if is_method else METRIC_PEERS).get(component.name)
        if peer:
            theirs = in_a_process(lambda peer=peer: measure_peer(peer, model, data, target), limit)
            if "seconds" in theirs:
                row |= {
                    "peer / ours": round(float(str(theirs["seconds"])) / spent, 2),
                    "peer MiB": theirs["MiB"],
                }
            else:
                row["note"] = f"peer: {theirs['note']}"
        yield row


def main() -> None:
    """Prints a table of methods and one of metrics."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--size", type=int, default=28, help="28: digits and a small network; else a ResNet-50"
    )
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--limit", type=float, default=120, help="seconds after which a row is given up")
    parser.add_argument("--methods", default="*")
    parser.add_argument("--metrics", default="*")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, data, reference = setting(options.size, options.samples)
    for registry, pattern in ((xb.methods, options.methods), (xb.metrics, options.metrics)):
        chosen = select(registry, pattern) if pattern else []
        if chosen:
            table = pd.DataFrame(rows(chosen, model, data, reference, options.limit))
            print(markdown(table.astype(object).where(table.notna(), "")), flush=True)


if __name__ == "__main__":
    main()
