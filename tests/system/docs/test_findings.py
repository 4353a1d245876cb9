"""Baselines, controls and families: what the documents find is what the published tables say."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from helpers import RESULTS, assert_row, assert_says, mean, number, rows, table
from xaiboard.benchmark.report.health.correlations import metric_correlations

BASELINES, CONTROLS, FAMILIES = (f"docs/findings/{name}.md" for name in ("baselines", "controls", "families"))
SMALL, STANDARD = ("quick", "fashion-mnist"), ("standard", "standard-fashion-mnist")
NETWORKS = ["cnn.pgd_linf", "cnn.standard", "lipmlp.hkr", "mlp.standard", "lipcnn.hkr"]


@pytest.mark.parametrize("model", NETWORKS)
def test_ranks_with_two_baselines(model: str) -> None:
    zero, average = (
        mean("quick", "deletion", "rank", settings=f"baseline={name},")[model] for name in ("zero", "mean")
    )
    assert_row(BASELINES, f"`{model}`", number(zero.corr(average, method="spearman")))


@cache
def correlations(folder: str) -> dict[frozenset[str], float]:
    """Mean over networks by pair of columns; from tables that are published for every suite."""
    cells = table(folder, "cells")
    controls = set(cells.loc[cells["control"], "method"])
    pairs = metric_correlations(table(folder, "leaderboard"), table(folder, "health"), controls)
    assert (pairs["models"] <= 5).all()
    keys = [frozenset(pair) for pair in zip(pairs["column_a"], pairs["column_b"], strict=True)]
    return dict(zip(keys, pairs["correlation"], strict=True))


def correlation(folder: str, one: str, other: str) -> float:
    return correlations(folder)[frozenset((one, other))]


@pytest.mark.parametrize("baseline", ["blur", "zero"])
def test_blurring_ranks_like_the_mean_image(baseline: str) -> None:
    columns = "deletion[baseline=mean]", f"deletion[baseline={baseline}]"
    cells = [number(correlation(folder, *columns)) for folder in SMALL]
    assert_row(BASELINES, f"mean and {baseline}", *cells)
    assert all(set(table(folder, "models")["model"]) == set(NETWORKS) for folder in (*SMALL, *STANDARD))


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("deletion[baseline=zero]", "sensitivity_n", "`sensitivity_n` (zero)"),
        ("deletion[baseline=zero]", "mu_fidelity[baseline=zero]", ""),
        ("deletion[baseline=mean]", "insertion[baseline=mean]", ""),
        ("deletion[baseline=mean]", "deletion[baseline=zero]", ""),
    ],
)
def test_columns_that_rank_alike(one: str, other: str, shown: str) -> None:
    cells = [number(correlation(folder, one, other)) for folder in STANDARD]
    assert_row(BASELINES, f"`{one}` and {shown or f'`{other}`'}", *cells)


COLUMNS_WITH_ZERO = {
    "deletion.win_rate": "baseline=zero",
    "mu_fidelity": "baseline=zero",
    "sensitivity_n": "baseline=zero",
    "infidelity.cosine": "baseline=zero",
    "comprehensiveness": "baseline=zero",
}
METHODS = {
    "integrated_gradients": "`integrated_gradients`",
    "deeplift": "`deeplift` *",
    "input_x_gradient": "`input_x_gradient`",
    "occlusion": "`occlusion`",
    "lrp_epsilon": "`lrp_epsilon` *",
    "lime": "`lime`",
    "gradcam": "`gradcam` *",
    "gradcam_plus_plus": "`gradcam_plus_plus` *",
    "random": "`random` †",
}


def ranks_with_zero(folder: str) -> pd.DataFrame:
    """Ranks by model, method and metric column."""
    columns = {name: mean(folder, name, "rank", settings=text) for name, text in COLUMNS_WITH_ZERO.items()}
    return pd.DataFrame(columns)


@pytest.mark.parametrize("method", METHODS)
def test_mean_ranks_with_the_zero_baseline(method: str) -> None:
    shown = []
    for folder in STANDARD:
        ranks = ranks_with_zero(folder).xs(method, level="method")
        shown.append(number(float(np.nanmean(ranks.to_numpy())), 1))
        networks = ranks.dropna(how="all")
        assert len(networks) == (3 if METHODS[method].endswith("*") else 5)
    assert_row(BASELINES, METHODS[method], *shown)


def test_what_leads_with_the_zero_baseline() -> None:
    for folder in STANDARD:
        means = ranks_with_zero(folder).groupby("method").mean().mean(axis=1)
        assert set(means.nsmallest(2).index) == {"integrated_gradients", "deeplift"}
        assert len(means) == 31


def test_random_numbers_in_insertion() -> None:
    rank, low, high = (
        mean("quick", "insertion", name, settings="baseline=mean")["cnn.pgd_linf", "random"]
        for name in ("rank", "rank_low", "rank_high")
    )
    assert_says(
        CONTROLS,
        f"`random` takes rank {rank:.0f} of 10 in insertion, with a rank interval of {low:.0f} to {high:.0f}",
    )
    for baseline in ("mean", "blur"):
        assert (
            mean("quick", "deletion.win_rate", settings=f"baseline={baseline}")["cnn.pgd_linf"].idxmax()
            == "sobel"
        )


def faithful(folder: str, *, last: bool) -> set[str]:
    """Columns of faithfulness in which random numbers are last on every network, or on none."""
    health = table(folder, "health")
    health = health[health["metric_family"] == "faithfulness"].assign(
        right=lambda rows: rows["random_last"].astype(bool) == last
    )
    assert set(health["column"].value_counts()) == {len(NETWORKS)}
    return set(health.groupby("column")["right"].all().loc[lambda all_networks: all_networks].index)


def test_columns_in_which_random_numbers_are_last_everywhere_or_nowhere() -> None:
    assert faithful("standard", last=True) == {"infidelity.cosine"}
    assert_says(CONTROLS, "on digits the cosine of infidelity ranks random last on all five networks")
    nowhere = {
        *(f"{name}[baseline=mean]" for name in ("deletion", "insertion", "mu_fidelity")),
        "srg",
        "robustness_sr",
        "monotonicity_arya",
    }
    assert plain(faithful("standard", last=False)) == nowhere
    assert_says(
        CONTROLS,
        "on digits: `deletion`, `insertion`, `srg` and `mu_fidelity` with the mean image, `robustness_sr` and"
        " `monotonicity_arya`",
    )
    nowhere = {"mu_fidelity[baseline=mean]", "robustness_sr", "monotonicity_arya", "monotonicity_nguyen"}
    assert plain(faithful("standard-fashion-mnist", last=False)) == nowhere
    assert_says(
        CONTROLS,
        "on Fashion-MNIST: `mu_fidelity` with the mean image, `robustness_sr`, `monotonicity_arya` and"
        " `monotonicity_nguyen`",
    )


def plain(columns: set[str]) -> set[str]:
    """Those that are no named column of a metric."""
    return {column for column in columns if "." not in column.partition("[")[0]}


def blurred(folder: str, **of: str) -> str:
    """How often a blurred copy beats its map, of all cases."""
    health = table(folder, "health")
    for name, value in of.items():
        health = health[health[name] == value]
    return f"{health['blurred_better'].sum()} of {health['blurred_pairs'].sum()}"


def test_blurred_copies() -> None:
    sensitivity, topk = (blurred("quick", metric=name) for name in ("max_sensitivity", "topk_intersection"))
    assert_says(CONTROLS, f"in {sensitivity} cases of `max_sensitivity` and {topk} of `topk_intersection`")
    for family in ("stability", "faithfulness"):
        assert_row(CONTROLS, family, *(blurred(folder, metric_family=family) for folder in STANDARD))


def test_empty_maps_of_gradcam() -> None:
    scores = pd.read_parquet(
        RESULTS / "quick" / "scores.parquet",
        filters=[("model", "==", "lipcnn.hkr"), ("method", "==", "gradcam")],
    )
    gini, sensitivity = (
        scores.loc[scores["metric"] == name, "score"] for name in ("gini", "max_sensitivity")
    )
    assert_says(CONTROLS, f"is empty (Gini index 0) for {(gini == 0).sum()} of {len(gini)} digits")
    assert_says(CONTROLS, f"a sensitivity of up to {sensitivity.max():.0f}, the bound")


@pytest.mark.parametrize(
    ("column", "better"),
    [("deletion.win_rate", "higher"), ("insertion.win_rate", "higher"), ("deletion.retention", "lower")],
)
def test_plain_gradients_of_twins(column: str, better: str) -> None:
    means = mean("quick", column).groupby(level=["model", "method"]).mean()
    rows = [
        ("lipcnn.hkr", "saliency"),
        ("cnn.standard", "saliency"),
        ("cnn.standard", "integrated_gradients"),
    ]
    assert_row(FAMILIES, f"`{column}` ({better} is better)", *(number(means[row]) for row in rows))


@pytest.mark.parametrize(("folder", "name"), [("quick", "digits"), ("fashion-mnist", "Fashion-MNIST")])
def test_stability_of_twins(folder: str, name: str) -> None:
    means = mean(folder, "lens_recall.above_chance")
    assert_row(
        FAMILIES, name, *(number(means[model, "saliency"]) for model in ("lipcnn.hkr", "cnn.standard"))
    )


def test_all_methods_are_more_stable_on_fashion_mnist() -> None:
    means = mean("fashion-mnist", "lens_recall.above_chance")
    cells = table("fashion-mnist", "cells")
    methods = set(cells.loc[~cells["control"] & (cells["method"] != ""), "method"])
    assert len(methods) == 6
    assert all(means["lipcnn.hkr", method] > means["cnn.standard", method] for method in methods)
    pairs = table("fashion-mnist", "families").query("metric == 'lens_recall.above_chance'")
    pairs = pairs[(pairs["models_a"] == "lipcnn.hkr") & (pairs["models_b"] == "cnn.standard")]
    pairs = pairs[pairs["method"].isin(methods)]
    assert set(pairs["better"]) == {"ot"}
    assert len(pairs) == 6
    n = pairs["n"].astype(int)
    assert_says(
        FAMILIES,
        "the 1-Lipschitz network is beyond doubt better for all six methods, on the"
        f" {n.min()} to {n.max()} images that all networks classify correctly",
    )


@pytest.mark.parametrize("folder", ["quick", *STANDARD, "lens"])
def test_what_the_folders_hold(folder: str) -> None:
    """Counts of the table on the first page of the findings, where they depend on what is published."""
    cells = table(folder, "cells")
    models, methods, perturbations = (
        len(set(cells[name]) - {""}) for name in ("model", "method", "perturbation")
    )
    number_of = {5: "five", 6: "six", 10: "ten"}
    counts = f"{number_of[models]} networks, {number_of.get(methods, methods)} methods"
    assert_says("docs/findings/index.md", f"| [results/{folder}](../../results/{folder}/leaderboard.md) |")
    (row,) = rows("docs/findings/index.md", rf"\[results/{folder}\].*", 1).values()
    assert f"{int(cells['n'].max())} test images" in row[0]
    if folder == "standard-fashion-mnist":
        assert row[0].startswith("the same on Fashion-MNIST")
        return
    assert counts in row[0]
    if folder == "lens":
        assert f"{perturbations} perturbations" in row[0]


def test_the_first_sentence_of_the_readme() -> None:
    cells = table("quick", "cells")
    of_maps = cells[cells["method"] != ""]
    counts = (
        cells["model"].nunique(), of_maps["method"].nunique(), of_maps["metric"].nunique(),
        cells.loc[cells["method"] == "", "metric"].nunique(), cells["n"].max(),
    )  # fmt: skip
    assert counts == (5, 10, 7, 4, 100)
    assert_says(
        "README.md",
        "five trained models, ten methods, seven metrics and four model metrics on 100 embedded digits",
    )


def best_of_faithfulness(folder: str) -> pd.DataFrame:
    """Ranked rows of the columns of faithfulness."""
    board = table(folder, "leaderboard")
    board = board[(board["metric_family"] == "faithfulness") & board["rank"].notna()]
    return board.assign(best=board["best"].astype(str) == "True")


COLUMN = ["model", "metric", "settings", "perturbation"]


def sharing(sizes: pd.Series, baseline: str) -> float:
    """How many methods share the first place of a column with that baseline, on average."""
    settings = sizes.index.get_level_values("settings")
    return sizes[settings.str.contains(f"baseline={baseline},")].mean()


def test_how_many_methods_may_be_the_best() -> None:
    sizes = [best_of_faithfulness(folder).groupby(COLUMN)["best"].sum() for folder in STANDARD]
    assert [len(size) for size in sizes] == [5 * 34, 5 * 34]
    digits, fashion = (f"{size.median():.0f}" for size in sizes)
    assert_says(BASELINES, f"it has at most {digits} methods on digits and {fashion} on Fashion-MNIST")
    shared = [[number(sharing(size, name), 1) for size in sizes] for name in ("mean", "zero")]
    (mean_digits, mean_fashion), (zero_digits, zero_fashion) = shared
    assert_says(
        BASELINES,
        f"On digits {mean_digits} methods share the first place with the mean image, and {zero_digits} with the zero"
        f" image; on Fashion-MNIST {mean_fashion} and {zero_fashion}.",
    )


@pytest.mark.parametrize(
    "method",
    [
        "integrated_gradients", "deeplift", "input_x_gradient", "occlusion", "lrp_epsilon", "gradient_shap",
        "deeplift_shap",
    ],
)  # fmt: skip
def test_which_methods_may_be_the_best(method: str) -> None:
    cells, networks = [], set()
    for name in ("zero", "mean"):
        for folder in STANDARD:
            rows = best_of_faithfulness(folder)
            rows = rows[rows["settings"].str.contains(f"baseline={name},")]
            own = rows[rows["method"] == method]
            networks.add(own["model"].nunique())
            cells.append(f"{own['best'].sum()} of {rows.groupby(COLUMN).ngroups}")
    star = {frozenset({3}): " *", frozenset({5}): ""}[frozenset(networks)]
    assert_row(BASELINES, f"`{method}`{star}", *cells)
