"""Times the same work in two ways: this suite, and the bare passes at their best batch size.

Run it by hand: ``python tests/performance/benchmark.py``. It prints ratios, so that a busy or a slow machine
does not matter much; it is no test, because a time that fails a build on a busy machine proves nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.passes import count_passes
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.subjects import trained_models
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.subjects.reference import load_reference

SIZES = (16, 32, 64, 128, 256, 512)
METHODS = "saliency,input_x_gradient,integrated_gradients,smoothgrad,occlusion,random,sobel"
REMOVAL = ",".join(
    f"{name}[baseline={baseline}]"
    for name in ("deletion", "insertion")
    for baseline in ("zero", "mean", "blur")
)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The shortest of several runs: what the machine can do when nothing else disturbs it."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def forward_seconds(model: nn.Module, x: Tensor) -> float:
    """Seconds of one sample's forward pass at the best batch size."""

    def run(batch: Tensor) -> None:
        with torch.no_grad():
            for _ in range(8):
                model(batch)

    return min(seconds(lambda batch=batch: run(batch), 5) / (8 * len(batch)) for batch in _batches(x))


def backward_seconds(model: nn.Module, x: Tensor) -> float:
    """Seconds of one sample's forward and backward pass to the input at the best batch size."""

    def run(batch: Tensor) -> None:
        batch.requires_grad_()
        for _ in range(4):
            torch.autograd.grad(model(batch)[:, 0].sum(), batch)

    return min(seconds(lambda batch=batch: run(batch), 5) / (4 * len(batch)) for batch in _batches(x))


def _batches(x: Tensor) -> Iterator[Tensor]:
    for size in SIZES:
        yield x.repeat(-(-size // len(x)), 1, 1, 1)[:size].clone()


@contextmanager
def _counted(model: nn.Module, total: dict[str, float]) -> Iterator[None]:
    with count_passes(model) as passes:
        yield
    total["forward"], total["backward"] = passes.forward, passes.backward


def suite_rows(name: str, samples: int, repeats: int) -> Iterator[dict[str, object]]:
    """The suite against the floor, on one trained model."""
    data, reference = load_data("digits", samples=samples), load_reference("digits")
    trained = trained_models.load(xb.models[name], "digits", data.shape, len(data.classes))
    methods = select(xb.methods, METHODS)
    floor = forward_seconds(trained.module, data.x)
    floor_both = backward_seconds(trained.module, data.x)

    def fresh() -> Values:
        values = Values(trained, data, reference, Conditions(), Batcher(None, "cpu"))
        for method in methods:
            values.attribution(method)
        return values

    for title, metrics in (
        ("deletion and insertion, 3 baselines", REMOVAL),
        ("max_sensitivity", "max_sensitivity"),
    ):
        chosen, total, times = select(xb.metrics, metrics), {}, []
        for _ in range(repeats):
            values = fresh()
            start = time.perf_counter()
            with _counted(trained.module, total):
                for method in methods:
                    for metric in chosen:
                        score(values, metric, method, None)
            times.append(time.perf_counter() - start)
        bare = (total["forward"] - total["backward"]) * floor + total["backward"] * floor_both
        yield {
            "model": name,
            "work": title,
            "forward": int(total["forward"]),
            "backward": int(total["backward"]),
            "suite s": round(min(times), 2),
            "floor s": round(bare, 2),
            "suite / floor": round(min(times) / bare, 2),
        }


def with_totals(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, and one for all models together: what counts for the time of a run."""
    total = (
        rows.groupby("work", sort=False)[["forward", "backward", "suite s", "floor s"]]
        .sum()
        .round(2)
        .reset_index()
    )
    total["suite / floor"] = (total["suite s"] / total["floor s"]).round(2)
    return pd.concat([rows, total.assign(model="all")])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", default="mlp.standard,cnn.standard,cnn.pgd_linf,lipmlp.hkr,lipcnn.hkr")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    names = options.models.split(",")
    rows = [row for name in names for row in suite_rows(name, options.samples, options.repeats)]
    print(markdown(with_totals(pd.DataFrame(rows))))


if __name__ == "__main__":
    main()
