"""The suite of models by themselves, in small: no methods, and every table and figure of models."""

from __future__ import annotations

import pandas as pd
import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark.components import suites


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> xb.Run:
    out = tmp_path_factory.mktemp("models") / "run"
    return xb.run("models", models="mlp.standard,lipmlp.hkr", samples=6, out=out, progress=False)


def test_it_names_metrics_of_models_only_and_all_models() -> None:
    suite = suites.read("models")
    assert "methods" not in suite
    assert suite["models"] == "*"


def test_every_cell_is_computed_or_says_why_not(finished: xb.Run) -> None:
    assert set(finished.cells["status"]) == {"ok", "inapplicable"}
    absent = finished.cells[finished.cells["status"] == "inapplicable"]
    assert set(absent["model"]) == {"mlp.standard"}
    assert absent["note"].str.contains("claims no Lipschitz constant").all()
    assert (finished.cells["method"] == "").all()


def test_the_table_of_models_has_a_number_an_interval_and_a_count(finished: xb.Run) -> None:
    table = pd.read_csv(finished.folder / "models.csv").set_index("model")
    assert (table["n"] == 6).all()
    plain = [str(name) for name in table if f"{name}:ci_low" in table]
    assert {
        "accuracy",
        "certified_accuracy[epsilon=0.5]",
        "certified_accuracy.radius",
        "lipschitz.upper",
    } <= set(plain)
    ours = table.loc["lipmlp.hkr"].to_dict()
    for name in plain:
        assert ours[f"{name}:ci_low"] - 1e-5 <= ours[name] <= ours[f"{name}:ci_high"] + 1e-5


def test_the_page_and_the_figures(finished: xb.Run) -> None:
    page = (finished.folder / "leaderboard.md").read_text()
    assert page.index("### Models") < page.index("## Cells without scores")
    assert "### Methods" not in page
    figures = {path.name for path in finished.folder.glob("*.png")}
    assert figures == {"robustness-digits.png", "counterfactuals-digits.png"}
