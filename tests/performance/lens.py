"""Times top-k, LENS and diverse LENS against a plain implementation that takes one map after the other.

Run it by hand: ``python tests/performance/lens.py``. It prints processor time of one thread, and ratios, so that a
busy or a slow machine does not matter much; it is no test, because a time that fails a build proves nothing there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import torch
import xaiboard.benchmark as xb
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d
from xaiboard.benchmark.report.markdown import markdown

SIZES = ((28, 100), (128, 100), (128, 1000), (224, 100), (224, 1000))
METRICS = ("topk_intersection", "lens_recall", "topk_intersection_div", "lens_recall_div", "lens_curve")


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor time of the shortest of several runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def square(pixel: tuple[int, int], window: int) -> tuple[slice, slice]:
    """The window of a pixel, cut at the border."""
    return tuple(slice(max(0, place - window), place + window + 1) for place in pixel)  # type: ignore[return-value]


def plain_set(a: np.ndarray, k: int, window: int, *, diverse: bool) -> list[tuple[int, int]]:
    """Pixels of a set, one by one."""
    alive, picks = np.ones(a.shape, dtype=bool), []
    for flat in np.argsort(-a.ravel(), kind="stable"):
        pixel = divmod(int(flat), a.shape[1])
        if alive[pixel]:
            picks.append(pixel)
            if diverse:
                alive[square(pixel, window)] = False
            if len(picks) == k:
                break
    return picks


def plain(name: str, a: np.ndarray, b: np.ndarray, k: int, window: int) -> list[float]:
    """The metric of each pair of maps ``(B, H, W)``, pixel by pixel."""
    scores = []
    for one, other in zip(a, b, strict=True):
        original, perturbed = (
            plain_set(each, k, window, diverse=name.endswith("_div")) for each in (one, other)
        )
        wide = np.zeros(one.shape, dtype=bool)
        for pixel in original:
            wide[square(pixel, window if name.startswith("lens") else 0)] = True
        found = len(perturbed) if name.startswith("lens") else min(len(original), len(perturbed))
        scores.append(sum(wide[pixel] for pixel in perturbed) / found)
    return scores


def plain_curve(a: np.ndarray, b: np.ndarray, k: int) -> list[float]:
    """Area under recall at every window, each computed on its own up to the one that reaches 1."""
    scores = []
    for one, other in zip(a, b, strict=True):
        longest = max(one.shape) - 1
        missed = 0.0
        for window in range(longest):
            recall = plain("lens_recall", one[None], other[None], k, window)[0]
            missed += 1 - recall
            if recall == 1:
                break
        scores.append(1 - missed / longest)
    return scores


def maps(side: int, batch: int, kind: str) -> tuple[Tensor, Tensor]:
    """A batch of maps and their perturbed copies: noise, or noise that was smoothed."""
    first, change = torch.rand(2, batch, 1, side, side, generator=torch.Generator().manual_seed(0))
    if kind == "smooth":
        first, change = (avg_pool2d(each, 9, 1, 4) for each in (first, change))
    return first, first + 0.3 * change


def rows(name: str, side: int, k: int, options: argparse.Namespace) -> list[dict[str, object]]:
    """One metric at one size: this suite, the plain implementation, and one max-pooling pass of the window."""
    found = []
    for kind in ("noise", "smooth"):
        a, b = maps(side, options.batch, kind)
        settings = {"k": float(k)} | (
            {"window": options.window} if "window" in xb.metrics[name].settings else {}
        )
        call = partial(xb.metrics[name], attribution=a, perturbed_attribution=b, **settings)
        few = slice(0, options.plain)
        one, other = a[few, 0].numpy(), b[few, 0].numpy()
        peer = (
            partial(plain_curve, one, other, k)
            if name == "lens_curve"
            else partial(plain, name, one, other, k, options.window)
        )
        gap = np.abs(call()[""][few].numpy() - np.array(peer())).max()
        ours, theirs = seconds(call, options.repeats), seconds(peer, 1) * options.batch / options.plain
        size = 2 * options.window + 1
        pool = seconds(partial(max_pool2d, a, size, 1, options.window), options.repeats)
        found.append(
            {
                "metric": name, "maps": kind, "side": side, "k": k, "suite s": round(ours, 4),
                "plain s": round(theirs, 3), "plain / suite": round(theirs / ours, 1),
                "suite / max-pool": round(ours / pool, 1), "gap": f"{gap:.1e}",
            }
        )  # fmt: skip
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--plain", type=int, default=4, help="maps that the plain implementation takes")
    parser.add_argument("--window", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sides", default="28,128,224")
    parser.add_argument("--metrics", default=",".join(METRICS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    sides = {int(side) for side in options.sides.split(",")}
    table = [
        row
        for name in options.metrics.split(",")
        for side, k in SIZES
        if side in sides
        for row in rows(name, side, k, options)
    ]
    print(markdown(pd.DataFrame(table)))


if __name__ == "__main__":
    main()
