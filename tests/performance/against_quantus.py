"""The metrics that Quantus has as well, here and there: each by itself, and a whole board.

Run it by hand: ``python tests/performance/against_quantus.py [--threads 2] [--networks cnn.standard]``. Both score the
same maps of the same images for the same network, with as many evaluations (``peers.py``), and take turns; the median
of the ratios is printed, so that a busy machine does not matter much. It is no test: a time proves nothing on another
machine. Tables, records and pictures are not part of it, since Quantus makes none.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median

import pandas as pd
import torch
import xaiboard.benchmark as xb
from floor import bare, best_batch, both, clock, forward
from peers import METRIC_PEERS
from torch import Tensor, nn
from xaiboard.benchmark.components.choice import Choice
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.passes import Passes, count_passes
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.report.markdown import markdown
from xaiboard.benchmark.subjects.trained_models import TrainedModel, wrap
from xaiboard.benchmark.toolkit.data import Data
from xaiboard.benchmark.toolkit.rng import SampleRng

SHARED = [name for name in METRIC_PEERS if name != "sensitivity_n"]
"""Quantus' ``SensitivityN`` is another number: it correlates over the images of a batch, with one subset for each."""

METHODS = "saliency,input_x_gradient,integrated_gradients"

Work = Callable[[], object]


def explain(name: str, model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """The map of a method, called bare."""
    method = xb.methods[name]
    given = {"model": model, "x": x, "target": target, "rng": SampleRng(0, range(len(x)), f"method/{name}")}
    return method(**{key: given[key] for key in method.supplied})


class Contest:
    """One network on some images, for both sides.

    Args:
        name: of the network.
        data: the images, with masks.
    """

    def __init__(self, name: str, data: Data, methods: Sequence[Choice], metrics: Sequence[Choice]) -> None:
        self.trained: TrainedModel = wrap(xb.load_model(name, dataset="block-digits"), name)
        self.data, self.methods, self.metrics = data, methods, metrics
        self.target = self.trained.module(data.x).argmax(1)
        self.best = [best_batch(self.trained.module, data.x, work) for work in (forward, both)]

    def values(self, *known: Choice) -> Values:
        """What is known before: targets, and the maps of some methods."""
        values = Values(self.trained, self.data, None, Conditions(), Batcher(None, "cpu"))
        _ = values.target
        for method in known:
            values.attribution(method)
        return values

    def peer(self, metric: Choice, method: Choice) -> Work:
        """A metric of Quantus on the map of a method, which is known before."""
        make, own = METRIC_PEERS[metric.component.name], partial(explain, method.component.name)
        return make(self.trained.module, self.data, self.target, own)

    def our_board(self) -> None:
        """Every method scored by every metric."""
        values = self.values()
        for method in self.methods:
            for metric in self.metrics:
                score(values, metric, method, None)

    def their_board(self) -> None:
        """The same by Quantus, which is given each map."""
        for method in self.methods:
            for metric in self.metrics:
                self.peer(metric, method)()

    def floor(self, passes: Passes) -> float:
        """Seconds of so many passes alone."""
        alone = passes.forward - passes.backward
        return bare(self.trained.module, alone, passes.backward, *self.best, least=0.2)

    def row(self, title: str, ours: Callable[[], Work], theirs: Callable[[], Work], repeats: int) -> dict:
        """Times of both sides, in turns, and their passes for an image."""
        taken, theirs_taken, passes = [], [], []
        for side in (ours, theirs):
            work = side()
            with count_passes(self.trained.module) as counted:
                work()
            passes.append(counted)
        for _ in range(repeats):
            taken.append(seconds(ours()))
            theirs_taken.append(seconds(theirs()))
        ratios = [there / here for here, there in zip(taken, theirs_taken, strict=True)]
        count, floors = len(self.data), [self.floor(each) for each in passes]
        return {
            "network": self.trained.name, "work": title,
            "passes": f"{(passes[0].forward + passes[0].backward) / count:.0f}",
            "ms an image": round(1000 * median(taken) / count, 2),
            "passes of Quantus": f"{(passes[1].forward + passes[1].backward) / count:.0f}",
            "its ms": round(1000 * median(theirs_taken) / count, 2),
            "outside its passes": f"{100 * max(0, 1 - floors[1] / median(theirs_taken)):.0f} %",
            "Quantus / here": round(median(ratios), 2), "from": round(min(ratios), 2), "to": round(max(ratios), 2),
            "here / floor": round(median(taken) / floors[0], 2) if floors[0] else "",
        }  # fmt: skip

    def rows(self, repeats: int) -> Iterator[dict]:
        """A row for each metric on the first method's maps, and one for the board."""
        first = self.methods[0]
        for metric in self.metrics:

            def ready(metric: Choice = metric) -> Work:
                values = self.values(first)
                return lambda: score(values, metric, first, None)

            yield self.row(metric.label, ready, partial(self.peer, metric, first), repeats)
        names = f"board: {len(self.methods)} methods, {len(self.metrics)} metrics"
        yield self.row(names, lambda: self.our_board, lambda: self.their_board, max(1, repeats // 2))


def seconds(work: Work) -> float:
    """How long it takes once."""
    start = clock()
    work()
    return clock() - start


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--networks", default="cnn.standard,mlp.standard")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--metrics", default=",".join(SHARED))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    data = xb.load_data("block-digits", samples=options.samples)
    chosen = select(xb.methods, options.methods), select(xb.metrics, options.metrics, whole=False)
    table = []
    for name in options.networks.split(","):
        for row in Contest(name, data, *chosen).rows(options.repeats):
            print(*row.values(), file=sys.stderr, flush=True)
            table.append(row)
    print(markdown(pd.DataFrame(table)))


if __name__ == "__main__":
    main()
