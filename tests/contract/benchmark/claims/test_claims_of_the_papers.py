"""The claims that come with the package: their names are those of the registry, and no rule changes unnoticed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from helpers import ROOT
from xaiboard.benchmark.claims.declaration import Claim, Rule
from xaiboard.benchmark.claims.digest import rule_digest
from xaiboard.benchmark.claims.names import read_name
from xaiboard.benchmark.claims.reading import read_claims
from xaiboard.benchmark.components import suites
from xaiboard.benchmark.listing.catalogue import read_catalogue
from xaiboard.benchmark.toolkit.labels import read_metric_column

CLAIMS = read_claims()
RULES = [(claim, rule) for claim in CLAIMS for rule in (*claim.rules, *claim.beside)]
KNOWN = {kind: {entry["name"]: entry for entry in entries} for kind, entries in read_catalogue().items()}
VERSIONS = Path(__file__).with_name("versions.toml")
PAPERS = {"2206.06854", "2312.10534", "1906.02896", "1810.06583", "2006.06520"}


def digests() -> dict[str, dict[str, str]]:
    return tomllib.loads(VERSIONS.read_text("utf-8"))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_rule_that_changes_has_another_version(claim: Claim) -> None:
    """Each version of each claim stands for one rule; a line that is there once is never changed."""
    known = digests().get(claim.id, {}).get(str(claim.version))
    line = f'"{claim.id}".{claim.version} = "{rule_digest(claim)}"'
    assert known == rule_digest(claim), (
        f"raise the version of {claim.id} if its rule has changed; then add: {line}"
    )


def test_versions_are_counted_without_a_gap() -> None:
    assert all(list(map(int, known)) == list(range(1, len(known) + 1)) for known in digests().values())
    assert set(digests()) >= {claim.id for claim in CLAIMS}


@pytest.mark.parametrize(
    ("claim", "rule"), RULES, ids=lambda each: getattr(each, "id", getattr(each, "kind", ""))
)
def test_names_are_those_of_the_registry(claim: Claim, rule: Rule) -> None:
    names = {
        "networks": [*rule.a, *rule.b, *rule.networks],
        "methods": [*rule.methods, *rule.against],
        "columns": [*rule.columns, *(guard.column for guard in rule.guards if guard.column)],
        "perturbations": list(rule.perturbations),
    }
    names.get(rule.over, []).extend(rule.order)
    assert set(names["networks"]) <= set(KNOWN["models"]), claim.id
    assert set(rule.datasets) <= set(KNOWN["datasets"]), claim.id
    for kind in ("methods", "perturbations"):
        assert {read_name(kind, name).name for name in names[kind]} <= set(KNOWN[kind]), claim.id
    for name in names["columns"]:
        metric, column = read_metric_column(read_name("metrics", name).name)
        assert column in {known["name"] for known in KNOWN["metrics"][metric]["columns"]}, (claim.id, name)


def test_theorems_name_tests_that_are_there() -> None:
    for claim, rule in RULES:
        if rule.theorem:
            file, _, name = rule.theorem.partition("::")
            text = (ROOT / file).read_text("utf-8")
            assert re.search(rf"^def {re.escape(name)}\(", text, re.MULTILINE), (claim.id, rule.theorem)


def test_papers_and_suites_are_known() -> None:
    assert {claim.paper for claim in CLAIMS} <= PAPERS
    assert {suite for claim in CLAIMS for suite in claim.suite} <= set(suites.names())


def test_claims_are_no_suite() -> None:
    assert suites.CLAIMS.is_file()
    assert "claims" not in suites.names()
