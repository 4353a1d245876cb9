"""The papers' claims: their pages have every claim, with the verdict and the numbers of the published table."""

from __future__ import annotations

import re
from functools import cache

import pytest
from helpers import RESULTS, ROOT, number, table
from xaiboard.benchmark.claims.declaration import Claim
from xaiboard.benchmark.claims.reading import read_claims

PAGES = ("transport", "lens", "adversarial-explanations", "concise", "hinge")
HEADING = re.compile(r"^## (P\d\.\d+): .*\n\n\*\*(.+?)\.\*\*", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])−?\d?\.\d+")
published = pytest.mark.skipif(
    not (RESULTS / "claims").exists(), reason="no table of claims is published: xaiboard claims --out results/claims"
)  # fmt: skip


@cache
def sections() -> dict[str, tuple[str, str]]:
    """Verdict and text of each claim, by its name."""
    texts = [(ROOT / f"docs/findings/{page}.md").read_text("utf-8") for page in PAGES]
    split = [HEADING.split(text)[1:] for text in texts]
    return {
        name: (verdict.lower(), text)
        for parts in split
        for name, verdict, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def test_each_claim_has_its_paragraph_and_no_other_does() -> None:
    assert sorted(sections()) == sorted(claim.id for claim in read_claims())


@published
def test_verdicts_are_those_of_the_table() -> None:
    found = table("claims", "claims").set_index("id")["verdict"]
    assert {name: verdict for name, (verdict, _) in sections().items()} == found.to_dict()


@published
@pytest.mark.parametrize("claim", read_claims(), ids=lambda claim: claim.id)
def test_numbers_are_those_of_the_table_or_of_the_declaration(claim: Claim) -> None:
    """Effects, intervals and means of the parts, and what the declaration says of settings, margins and the paper."""
    parts = table("claims", "claims_parts")
    parts = parts[parts["id"] == claim.id]
    means = [float(each) for text in parts["means"].dropna() for each in str(text).split(", ")]
    values = [*parts[["effect", "ci_low", "ci_high", "last_doubling"]].stack(), *means]
    known = {number(sign * value, digits) for value in values for digits in (2, 3, 4) for sign in (1, -1)}
    declared = " ".join([str(claim), *parts["part"]])
    known |= {
        sign + text.removeprefix("0") for text in re.findall(r"\d*\.\d+", declared) for sign in ("", "−")
    }
    quoted = NUMBER.findall(sections()[claim.id][1])
    assert [each for each in quoted if each not in known] == []


@published
def test_the_readme_quotes_the_table() -> None:
    parts = table("claims", "claims_parts")
    values = parts[parts["id"].isin(["P0.1", "P1.1", "P3.1"])][["effect", "ci_low", "ci_high"]].stack()
    known = {number(float(str(value)), 3) for value in values}
    found = (ROOT / "README.md").read_text("utf-8").split("## What it found\n")[1].split("\n## ")[0]
    assert len(NUMBER.findall(found)) == 12
    assert set(NUMBER.findall(found)) <= known
