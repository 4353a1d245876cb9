"""The claims of the papers on the published runs: each has a verdict, and three come out the same in plain NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from helpers import RESULTS, ROOT
from scipy import stats
from xaiboard.benchmark.claims.boundaries import HOLDS, MIXED, NOT, UNDECIDED, VERDICTS
from xaiboard.benchmark.claims.declaration import NOT_TESTABLE
from xaiboard.benchmark.claims.evaluate import Judgement, judge_claims
from xaiboard.benchmark.claims.reading import read_claims
from xaiboard.benchmark.claims.table import claims_table, parts_table
from xaiboard.benchmark.claims.write import write_claims

PUBLISHED = RESULTS / "claims"


@pytest.fixture(scope="module")
def judged() -> Iterator[Judgement]:
    """All claims by all published runs: some seconds, so once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield judge_claims()


@pytest.fixture(scope="module")
def rows(judged: Judgement) -> pd.DataFrame:
    return claims_table(judged).set_index("id")


@pytest.fixture(scope="module")
def parts(judged: Judgement) -> pd.DataFrame:
    return parts_table(judged)


def test_every_claim_has_a_verdict_and_says_what_would_settle_it(rows: pd.DataFrame) -> None:
    assert list(rows.index) == [claim.id for claim in read_claims()]
    assert set(rows["verdict"]) <= set(VERDICTS)
    still_open = rows[rows["verdict"].isin([UNDECIDED, NOT_TESTABLE])]
    assert (still_open["why"] != "").all()
    assert (still_open["settle"] != "").all()
    decided = rows[rows["verdict"].isin([HOLDS, NOT, MIXED])]
    assert (decided["p_page"].isna() | (decided["p_page"] <= 0.05)).all()


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no table of claims is published yet")
def test_the_published_tables_are_the_same_bytes(judged: Judgement, tmp_path: Path) -> None:
    for path in write_claims(judged, tmp_path):
        assert path.read_bytes() == (PUBLISHED / path.name).read_bytes(), path.name


# plain NumPy, from the files


def scores(metric: str, dataset: str, settings: str, method: str = "", column: str = "score") -> pd.DataFrame:
    """Scores, a column a network and a row an image, of all published runs that have the metric."""
    wanted = {"dataset": dataset, "metric": metric, "settings": settings, "method": method}
    found = []
    for path in sorted(RESULTS.rglob("scores.parquet")):
        if f",{metric.partition('.')[0]}," in path.with_name("cells.csv").read_text("utf-8"):
            only = [(name, "=", value) for name, value in wanted.items()]
            found.append(pq.read_table(path, columns=["model", "sample", column], filters=only).to_pandas())
    rows = pd.concat(found).astype({"model": str}).drop_duplicates(["model", "sample"])
    return rows.pivot(index="sample", columns="model", values=column)


def networks(found: pd.DataFrame, recipe: str) -> np.ndarray:
    """Scores of the networks of a recipe, ``(S, n)``."""
    names = [name for name in found if name == recipe or str(name).startswith(f"{recipe}.seed")]
    return found[names].to_numpy(float).T


def reach(a: np.ndarray, b: np.ndarray, level: float) -> float:
    """Half of the interval of the difference of two recipes, of networks and images, ``(S, n)`` each."""
    means = [side.mean(1) for side in (a, b)]
    of_networks = [mean.var(ddof=1) / len(mean) for mean in means]
    freedom = sum(of_networks) ** 2 / sum(
        v**2 / (len(m) - 1) for v, m in zip(of_networks, means, strict=True)
    )
    images = a.mean(0) - b.mean(0)
    tail = (1 + level) / 2
    return float(np.hypot(
        stats.t.ppf(tail, freedom) * sum(of_networks) ** 0.5,
        stats.t.ppf(tail, len(images) - 1) * (images.var(ddof=1) / len(images)) ** 0.5,
    ))  # fmt: skip


def test_a_pair_in_plain_numpy(parts: pd.DataFrame) -> None:
    """P0.1: on images that every network of the claim gets right, one set for all; three networks of each recipe."""
    what = ("mu_fidelity", "fashion-mnist", "baseline=zero,grid=9,share=0.2,draws=200", "saliency[abs=true]")
    found, correct = scores(*what), scores(*what, column="correct")
    twins = [("lipcnn.hkr", "cnn.standard"), ("lipmlp.hkr", "mlp.standard")]
    right = np.concatenate([networks(correct, recipe) == 1 for pair in twins for recipe in pair]).all(0)
    for one, other in twins:
        where = (parts["dataset"] == "fashion-mnist") & (parts["recipes"] == f"{one} − {other}")
        row = parts[where & (parts["id"] == "P0.1") & (parts["method"] == "saliency[abs=true]")].iloc[0]
        a, b = (networks(found, recipe)[:, right] for recipe in (one, other))
        assert row["n"] == a.shape[1]
        assert row["effect"] == pytest.approx(a.mean() - b.mean(), rel=1e-5)
        assert row["effect"] - row["ci_low"] == pytest.approx(reach(a, b, 0.95), rel=1e-4)
        assert reach(a, b, 1 - row["p"]) == pytest.approx(abs(row["effect"]), rel=1e-4)
        assert row["verdict"] == (HOLDS if row["page_low"] > 0 else UNDECIDED)


def test_an_order_in_plain_numpy(parts: pd.DataFrame) -> None:
    """P2.1 on digits, attack ARA with both losses: the least step of four recipes, five networks of each."""
    found = scores("ara", "digits", "steps=100,eps=1,momentum=0,loss=both")
    recipes = ("cnn.standard", "cnn.pgd_l2", "cnn.lipschitz_penalty", "cnn.lipschitz_penalty_at")
    steps = list(pairwise(networks(found, recipe) for recipe in recipes))
    effects = [better.mean() - worse.mean() for worse, better in steps]
    row = parts[(parts["id"] == "P2.1") & (parts["dataset"] == "digits") & (parts["column"] == "ara")].iloc[0]
    assert row["effect"] == pytest.approx(min(effects), rel=1e-5)
    lows = [effect - reach(*step, 0.95) for effect, step in zip(effects, steps, strict=True)]
    assert row["ci_low"] == pytest.approx(min(lows), rel=1e-5)
    assert row["alone"] == (HOLDS if min(lows) > 0 else UNDECIDED)


def test_a_certificate_in_plain_numpy(parts: pd.DataFrame) -> None:
    """P4.1: no image has a radius above the distance of an attack that was found."""
    for dataset in ("digits", "fashion-mnist"):
        distance = scores("attack_distance", dataset, "steps=100")
        radii = scores("certified_accuracy.radius", dataset, "epsilon=0.5")
        shared = radii.columns.intersection(distance.columns)
        for recipe in ("lipcnn.hkr", "lipmlp.hkr"):
            one, other = (networks(found[shared].loc[distance.index], recipe) for found in (radii, distance))
            where = (parts["id"] == "P4.1") & (parts["dataset"] == dataset) & (parts["recipes"] == recipe)
            assert list(parts[where]["verdict"]) == [NOT if (one > other + 1e-4).any() else HOLDS]
