"""Claims over folders of runs: which scores count, what is missing, what contradicts, and the same bytes again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xaiboard.benchmark as xb
from click.testing import CliRunner
from hand_made_runs import Column, make_run, recipe
from scipy import stats
from xaiboard.benchmark.claims.evaluate import Judgement, judge_claims
from xaiboard.benchmark.claims.table import claims_table, parts_table
from xaiboard.benchmark.claims.write import write_claims
from xaiboard.benchmark.cli import commands
from xaiboard.benchmark.errors import XaiboardError

pytestmark = pytest.mark.filterwarnings("ignore:.*without a digest or seal")

N = 40
A, B = recipe("lipcnn.hkr", 3), recipe("cnn.standard", 3)

PAIR = """
[[claim]]
id = "P1"
paper = "p"
text = "one is more concise"
version = 1
kind = "pair"
datasets = "digits"
a = "lipcnn.hkr"
b = "cnn.standard"
methods = "saliency"
columns = "gini"
"""


def scores(networks: list[str], level: float, seed: int = 0, **names: str) -> dict[Column, np.ndarray]:
    rng = np.random.default_rng([seed, len(networks)])
    words = {"column": "gini", "method": "saliency", **names}
    return {
        Column(name, **words): np.asarray(
            level + 0.02 * rng.normal() + 0.04 * rng.normal(size=N), dtype=np.float32
        )
        for name in networks
    }


BOTH = {**scores(A, 0.7), **scores(B, 0.5, 1)}


def judge(tmp_path: Path, text: str, *runs: Path) -> Judgement:
    file = tmp_path / "own.toml"
    file.write_text(text, "utf-8")
    return judge_claims(runs, file)


def only(found: Judgement) -> pd.Series:
    return claims_table(found).iloc[0]


def test_a_pair_is_welch_s_test_of_the_networks_with_the_variance_of_the_images(tmp_path: Path) -> None:
    """Written out from the scores, without any of our functions."""
    wrong = {"lipcnn.hkr.seed1": np.arange(N) != 3, "cnn.standard": np.arange(N) != 5}
    run = make_run(tmp_path / "run", BOTH, correct=wrong)
    row = only(judge(tmp_path, PAIR, run))
    kept = np.setdiff1d(np.arange(N), [3, 5])
    a, b = (
        np.array([BOTH[Column(name, "gini", "saliency")][kept] for name in names], dtype=float)
        for names in (A, B)
    )
    images = a.mean(0) - b.mean(0)
    networks = [side.mean(1).var(ddof=1) / 3 for side in (a, b)]
    freedom = sum(networks) ** 2 / sum(part**2 / 2 for part in networks)
    reach = np.hypot(
        stats.t.ppf(0.975, freedom) * sum(networks) ** 0.5,
        stats.t.ppf(0.975, 37) * (images.var(ddof=1) / 38) ** 0.5,
    )
    assert row["n"] == 38
    assert row["effect"] == pytest.approx(images.mean())
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((images.mean() - reach, images.mean() + reach))
    assert (row["verdict"], row["networks"]) == ("holds", "3 lipcnn.hkr, 3 cnn.standard")


def test_neither_the_order_of_runs_nor_that_of_rows_has_a_say(tmp_path: Path) -> None:
    halves = [dict(list(BOTH.items())[:3]), dict(list(BOTH.items())[3:]), dict(list(BOTH.items())[::-1][2:4])]
    runs = [make_run(tmp_path / name, half) for name, half in zip("xyz", halves, strict=True)]
    text = PAIR + PAIR.replace("P1", "P2").replace('"gini"', '"gini"\nm = 0.15')
    tables = [
        claims_table(judge(tmp_path, text, *order)).drop(columns="reproduce") for order in (runs, runs[::-1])
    ]
    assert all(table.equals(tables[0]) for table in tables)
    turned = "[[claim]]".join(["", *reversed(text.split("[[claim]]")[1:])])
    again = claims_table(judge(tmp_path, turned, *runs)).drop(columns="reproduce")
    assert again.sort_values("id", ignore_index=True).equals(tables[0])


def test_runs_that_contradict_each_other_are_refused_in_one_sentence(tmp_path: Path) -> None:
    one = make_run(tmp_path / "one", BOTH)
    changed = {column: values.copy() for column, values in BOTH.items()}
    changed[Column("cnn.standard", "gini", "saliency")][7] += 0.001
    cases = {
        "as for image 7": make_run(tmp_path / "two", changed),
        "of another version": make_run(tmp_path / "three", BOTH, version=2),
        "has other weights": make_run(tmp_path / "four", BOTH, weights={"cnn.standard": "other"}),
    }
    for said, other in cases.items():
        with pytest.raises(XaiboardError) as mistake:
            judge(tmp_path, PAIR, one, other)
        assert said in str(mistake.value)
        assert "'cnn.standard' on digits" in str(mistake.value) or "lipcnn" in str(mistake.value)
        assert "\n" not in str(mistake.value)


def test_one_network_says_nothing_of_its_recipe(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {**scores(A, 0.7), **scores(B[:1], 0.5, 1)})
    row = only(judge(tmp_path, PAIR, run))
    assert (row["verdict"], row["unit"]) == ("not testable here", "images only")
    assert row["why"] == "one network of cnn.standard: images only"
    assert row["ci_low"] > 0
    assert np.isnan(row["p"])
    assert "xaiboard train cnn.standard --dataset digits --seed 1" in row["command"]


def test_missing_scores_name_the_command_that_makes_them(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", scores(A, 0.7))
    row = only(judge(tmp_path, PAIR, run))
    assert row["verdict"] == "not testable here"
    assert row["why"] == "no scores of cnn.standard on digits in gini of saliency"
    assert row["command"] == (
        "xaiboard run --dataset digits --models 'cnn.standard,cnn.standard.seed*' --methods saliency --metrics gini"
        " --samples 500"
    )
    suite = only(judge(tmp_path, PAIR.replace("version", 'suite = "quick"\nversion'), run))
    assert suite["command"] == (
        "xaiboard run --suite quick --dataset digits --models 'cnn.standard,cnn.standard.seed*'"
    )
    several = only(
        judge(tmp_path, PAIR.replace("version", 'suite = ["claims-twins", "quick"]\nversion'), run)
    )
    assert several["command"] == suite["command"]  # the other one has no saliency
    none = only(judge(tmp_path, PAIR.replace("version", 'suite = "claims-twins"\nversion'), run))
    assert none["command"] == row["command"]


def test_a_name_means_the_defaults_of_what_it_does_not_name(tmp_path: Path) -> None:
    made = {
        **scores(A, 0.7, column="mu_fidelity[baseline=zero,grid=9,share=0.2,draws=200]"),
        **scores(B, 0.5, 1, column="mu_fidelity[baseline=zero,grid=9,share=0.2,draws=200]"),
        **scores(A, 0.1, 2, column="mu_fidelity[baseline=zero,grid=9,share=0.2,draws=50]"),
        **scores(B, 0.9, 3, column="mu_fidelity[baseline=zero,grid=9,share=0.2,draws=50]"),
    }
    run = make_run(tmp_path / "run", made)
    for name, sign in (("mu_fidelity", 1), ("mu_fidelity[draws=200]", 1), ("mu_fidelity[draws=50]", -1)):
        row = only(judge(tmp_path, PAIR.replace("gini", name), run))
        assert np.sign(row["effect"]) == sign
    assert "no scores" in only(judge(tmp_path, PAIR.replace("gini", "mu_fidelity[draws=60]"), run))["why"]
    with pytest.raises(XaiboardError, match="no setting of mu_fidelity named 'drawz'"):
        judge(tmp_path, PAIR.replace("gini", "mu_fidelity[drawz=60]"), run)


PERTURBED = """
[[claim]]
id = "P1"
paper = "p"
text = "noise is as harmful as an attack"
version = 1
kind = "pair_perturbations"
datasets = "digits"
networks = ["lipcnn.hkr", "cnn.standard"]
methods = "saliency"
columns = "gini"
perturbations = ["sign_noise[eps=0.1]", "topk_attack[steps=100]"]
m = 0.1
holds = "below"
guards = [{ half = "steps=50" }]
"""

ATTACK = "topk_attack[k=100,eps=0.1,step=1,steps={},restarts=1,beta=5,through=auto,other=]"


def attacked(after: float, half: float) -> dict[Column, np.ndarray]:
    return {
        **scores(A + B, 0.5, perturbation="sign_noise[eps=0.1]"),
        **scores(A + B, after, 1, perturbation=ATTACK.format(100)),
        **scores(A + B, half, 1, perturbation=ATTACK.format(50)),
    }


def test_a_claim_about_an_attack_needs_one_that_has_converged(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", attacked(0.2, 0.21))
    found = judge(tmp_path, PERTURBED, run)
    row, parts = only(found), parts_table(found)
    assert row["verdict"] == "does not hold"
    assert parts["last_doubling"].to_numpy() == pytest.approx(0.01, abs=1e-6)
    run = make_run(tmp_path / "other", attacked(0.2, 0.42))
    row = only(judge(tmp_path, PERTURBED, run))
    assert row["verdict"] == "not testable here"
    assert row["why"].startswith("attack not converged: the last doubling of its steps moved a mean by 0.22")
    without = {
        column: values
        for column, values in attacked(0.2, 0.2).items()
        if "steps=50" not in column.perturbation
    }
    row = only(judge(tmp_path, PERTURBED, make_run(tmp_path / "third", without)))
    assert row["verdict"] == "not testable here"
    assert "topk_attack[steps=50]" in row["command"]


def test_images_that_one_network_does_not_hold_count_for_none(tmp_path: Path) -> None:
    made = attacked(0.2, 0.2)
    changed = Column("cnn.standard.seed2", "gini", "saliency", ATTACK.format(100))
    run = make_run(
        tmp_path / "run", made, held={changed: np.arange(N) >= 4}, correct={"lipcnn.hkr": np.arange(N) < 38}
    )
    assert set(parts_table(judge(tmp_path, PERTURBED, run))["n"]) == {34}


@pytest.mark.parametrize(
    ("guard", "levels", "why"),
    [
        ('{ column = "gini.found", at_least = 0.9 }', (0.95, 0.5), "gini.found is 0.95"),
        ('{ column = "gini.found", at_least = 0.4 }', (0.95, 0.5), ""),
        ("{ ceiling = 0.4 }", (0.0, 0.0), "gini is at its ceiling"),
        ("{ ceiling = 0.6 }", (0.0, 0.0), ""),
        ('{ column = "accuracy", differ_at_most = 0.1 }', (0.9, 0.7), "accuracy differs by 0.2"),
        ('{ column = "accuracy", differ_at_most = 0.3 }', (0.9, 0.7), ""),
    ],
)
def test_guards(guard: str, levels: tuple[float, float], why: str, tmp_path: Path) -> None:
    made = dict(BOTH)
    for names, level in ((A, levels[0]), (B, levels[1])):
        flat = np.full(N, level)
        made |= {Column(name, "gini.found", "saliency"): flat for name in names}
        made |= {Column(name, "accuracy"): flat for name in names}
    run = make_run(tmp_path / "run", made)
    row = only(judge(tmp_path, PAIR + f"guards = [{guard}]", run))
    assert row["why"].startswith(why)
    assert row["verdict"] == ("not testable here" if why else "holds")
    row = only(judge(tmp_path, PAIR + 'guards = [{ column = "entropy", at_least = 0.9 }]', run))
    assert row["why"].startswith("no scores of lipcnn.hkr and cnn.standard on digits in entropy")


def test_lower_turns_the_sign_and_thresholds_count_what_is_above(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BOTH)
    plain, turned = (only(judge(tmp_path, PAIR + more, run)) for more in ("", "lower = true"))
    assert turned["effect"] == pytest.approx(-plain["effect"])
    assert (plain["verdict"], turned["verdict"]) == ("holds", "does not hold")
    found = parts_table(judge(tmp_path, PAIR + "beyond = [0.5, 0.6]", run))
    for threshold, row in zip((0.5, 0.6), found.to_dict("records"), strict=True):
        shares = [
            np.mean([BOTH[Column(name, "gini", "saliency")] > threshold for name in names])
            for names in (A, B)
        ]
        assert row["effect"] == pytest.approx(shares[0] - shares[1])


def test_the_command_writes_the_same_bytes_each_time_and_without_torch(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BOTH)
    file = tmp_path / "own.toml"
    file.write_text(PAIR, "utf-8")
    script = 'import sys\nsys.modules["torch"] = None\nfrom xaiboard.benchmark.cli import main\nmain()\n'
    arguments = ["claims", str(run), "--claims", str(file)]
    said = subprocess.run(
        [sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True
    ).stdout
    names = ("claims.csv", "claims_parts.csv", "claims.md", "claims.svg")
    before = {name: (run / name).read_bytes() for name in names}
    assert "1 claim: 1 holds." in said
    write_claims(judge_claims([run], file), run)
    assert {name: (run / name).read_bytes() for name in names} == before


def test_one_claim_is_shown_by_the_command_that_the_table_names(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BOTH)
    text = PAIR + PAIR.replace("P1", "P2").replace("columns", "m = 0.5\ncolumns")
    row = only(judge(tmp_path, text, run))
    assert row["reproduce"] == f"xaiboard claims {run} --claims {tmp_path}/own.toml --only P1"
    said = CliRunner().invoke(commands, row["reproduce"].split()[1:])
    assert said.output.startswith("### P1: holds")
    assert "P2" not in said.output
    assert not (run / "claims.csv").exists()
    document = json.loads(CliRunner().invoke(commands, [*row["reproduce"].split()[1:], "--json"]).output)
    assert (
        [each["verdict"] for each in document["claims"]]
        == [each["verdict"] for each in document["parts"]]
        == ["holds"]
    )
    wrong = CliRunner().invoke(
        commands, ["claims", str(run), "--claims", f"{tmp_path}/own.toml", "--only", "P3"]
    )
    assert str(wrong.exception) == "no claim named 'P3'; did you mean 'P2'?"


def test_from_python_it_is_the_same_table(tmp_path: Path) -> None:
    halves = [dict(list(BOTH.items())[:3]), dict(list(BOTH.items())[3:])]
    one, other = (make_run(tmp_path / name, half) for name, half in zip("xy", halves, strict=True))
    known = claims_table(judge(tmp_path, PAIR, one, other))
    assert xb.Run(one).claims(tmp_path / "own.toml", others=[other]).equals(known)


def test_files_of_another_origin_stay(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BOTH)
    (run / "claims.csv").write_text("mine\n")
    with pytest.raises(XaiboardError, match="was not written by 'xaiboard claims'"):
        write_claims(judge(tmp_path, PAIR, run), run)
    assert (run / "claims.csv").read_text() == "mine\n"


def test_no_run_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(XaiboardError, match="no run is named"):
        judge_claims()
    with pytest.raises(XaiboardError, match="no run in 'nothing'"):
        judge_claims(["nothing"])
