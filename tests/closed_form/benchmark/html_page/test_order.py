"""The headline order on tables whose mean ranks are known by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
from xaiboard.benchmark.html_page.names import Names
from xaiboard.benchmark.html_page.order import order
from xaiboard.benchmark.report.health.controls import passes_controls
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.toolkit.roles import RANDOM

N = 60

METHODS = ("good", "middle", "poor", "random")


def results(columns: dict[str, tuple[str, dict[str, float]]], noise: float = 0.01) -> Results:
    """A run of one model: metric columns with their family and the mean score of each method."""
    rng = np.random.default_rng(0)
    scores, cells = [], []
    for metric, (family, means) in columns.items():
        for method, mean in means.items():
            common = {"dataset": "d", "model": "m", "family": "own", "method": method, "metric": metric}
            common |= {"settings": "", "perturbation": "", "metric_family": family}
            cells.append(
                {**common, "control": method == "random", "status": "ok", "note": "", "method_settings": ""}
            )
            scores.extend(
                {**common, "sample": sample, "score": mean + noise * rng.standard_normal(), "weight": 1.0}
                for sample in range(N)
            )
    facts = {"target": 0, "label": 0, "correct": True, "seed": 0, "metric_version": "1"}
    facts |= {"higher_is_better": "True", "across_models": True}
    words = {"columns": {}, "roles": {"methods": {"random": [RANDOM]}, "metrics": {}, "perturbations": {}}}
    numbers = dict.fromkeys(("n", "seconds", "forward", "backward"), 0.0) | {"weights": ""}
    return Results.of(pd.DataFrame(cells).assign(**numbers), pd.DataFrame(scores).assign(**facts), said=words)


def means(*values: float) -> dict[str, float]:
    return dict(zip(METHODS, values, strict=False))


def test_families_count_alike_however_many_columns_they_have() -> None:
    up, down = means(3, 2, 1, 0), means(1, 2, 3, 0)
    found = results({"a": ("f", up), "b": ("f", up), "c": ("f", up), "d": ("g", down)})
    [whole, of_model] = order(found, Names(found))
    names = [Names(found).methods[place] for place in whole["methods"]]
    assert dict(zip(names, whole["rank"], strict=True)) == {"good": 2.0, "middle": 2.0, "poor": 2.0}
    assert whole["families"] == {"f": 3, "g": 1}
    assert of_model["rank"] == whole["rank"]


def test_columns_that_fail_their_controls_do_not_count() -> None:
    found = results({"a": ("f", means(3, 2, 1, 0)), "upside down": ("f", means(1, 2, 3, 4))})
    assert passes_controls(found.health).tolist() == [True, False]
    [whole, _] = order(found, Names(found))
    assert whole["rank"] == [1.0, 2.0, 3.0]
    assert whole["low"] == whole["high"] == whole["rank"]  # of such means no drawn images change the order
    assert len(whole["columns"]) == 1


def test_methods_that_a_column_lacks_are_left_out_and_the_others_closed_up() -> None:
    found = results({"a": ("f", means(3, 4, 1, 0)), "b": ("f", {"good": 3, "poor": 1, "random": 0})})
    [whole, _] = order(found, Names(found))
    names = Names(found)
    assert [names.methods[place] for place in whole["methods"]] == ["good", "poor"]
    assert whole["rank"] == [1.0, 2.0]
    assert [names.methods[place] for place in whole["leftOut"]] == ["middle"]


def test_images_drawn_anew_are_the_same_in_all_columns() -> None:
    """A copy of a column adds nothing: with other images in each, the interval of the mean would be shorter."""
    column = means(1.0, 1.0, 0.9, -9)
    one = results({"a": ("f", column)}, noise=0.5)
    scores = one.scores
    twice = pd.concat([scores, scores.assign(metric="b")])
    two = Results.of(pd.concat([one.cells, one.cells.assign(metric="b")]), twice, said=one._said)
    [[first, _], [second, _]] = order(one, Names(one)), order(two, Names(two))
    assert first["low"] == second["low"]
    assert first["high"] == second["high"]
    assert first["low"][0] < first["high"][0]


def test_without_a_random_control_there_is_no_order() -> None:
    found = results({"a": ("f", {"good": 3.0, "poor": 1.0})})
    assert order(found, Names(found)) == []
