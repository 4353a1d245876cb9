"""Components may return the same tensor, filled anew, at each call, and change what they are given: scores stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn

Runner = Callable[..., xb.Run]
KINDS = ["method", "perturbation", "shared value", "metric", "model"]


REUSED = {"kind": ""}
KEPT: dict[tuple[str, torch.Size], Tensor] = {}


def give(kind: str, values: Tensor) -> Tensor:
    """The values as they are or, of the kind that is tested, always in the same tensor."""
    if kind != REUSED["kind"]:
        return values
    whole = KEPT.setdefault((kind, values.shape[1:]), torch.empty(64, *values.shape[1:]))
    return whole[: len(values)].copy_(values.detach())


class Net(nn.Module):
    """For the other kinds a network without :func:`give` is taken: what a network's code holds is put back."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 4)
        with torch.no_grad():
            self.head.weight.copy_(torch.arange(256.0).reshape(4, 64).sin())
            self.head.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        logits = self.head(x.flatten(1))
        return logits if torch.is_grad_enabled() else give("model", logits)


def scores(run: Runner, out: Path, reused: str, net: nn.Module) -> list[float]:
    """Those of a run in batches, in which components of one kind return the same tensor at each call."""
    REUSED["kind"] = reused

    @xb.method(name="mine", version=1)
    def _mine(x: Tensor) -> Tensor:
        return give("method", x.square())

    @xb.perturbation(name="darker", version=1)
    def _darker(x: Tensor) -> Tensor:
        return give("perturbation", x * 0.5)

    def brightness(x: Tensor) -> Tensor:
        return give("shared value", x.flatten(1).mean(1))

    @xb.metric(name="first", version=1, family="complexity", higher_is_better=True, shared=[brightness])
    def _first(brightness: Tensor, attribution: Tensor) -> Tensor:
        return give("metric", attribution.flatten(1).sum(1) + brightness)

    @xb.metric(name="second", version=1, family="robustness", higher_is_better=True)
    def _second(attribution: Tensor, perturbed_attribution: Tensor, logits: Tensor) -> Tensor:
        return (attribution - perturbed_attribution).flatten(1).sum(1) + logits[:, 0]

    words = {"models": {"net": net}, "methods": "mine", "metrics": "first,second", "batch_size": 5}
    finished = run(**words, perturbations="darker", out=out)
    assert set(finished.cells["status"]) == {"ok"}
    return finished.scores["score"].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_tensor_that_is_returned_again_spoils_no_score(
    run: Runner, tmp_path: Path, kind: str, mlp: nn.Sequential
) -> None:
    net = Net().eval() if kind == "model" else mlp
    assert scores(run, tmp_path / "reused", kind, net) == scores(run, tmp_path / "new", "", net)


def test_a_metric_that_changes_a_shared_value_in_place_spoils_no_other(run: Runner, tmp_path: Path) -> None:
    def brightness(x: Tensor) -> Tensor:
        return x.flatten(1).mean(1)

    @xb.metric(name="a_vandal", family="complexity", higher_is_better=True, shared=[brightness])
    def _vandal(brightness: Tensor) -> Tensor:
        return brightness.zero_()

    @xb.metric(name="victim", family="complexity", higher_is_better=True, shared=[brightness])
    def _victim(brightness: Tensor) -> Tensor:
        return brightness + 1

    both = run(methods="random", metrics="a_vandal,victim", out=tmp_path / "both").scores
    alone = run(methods="random", metrics="victim", out=tmp_path / "alone").scores
    assert (alone["score"] > 1).all()
    assert both.loc[both["metric"] == "victim", "score"].tolist() == alone["score"].tolist()
