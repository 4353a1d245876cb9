"""Lists: what components cost by hand, and what each column of a metric means."""

from __future__ import annotations

import re
import shlex

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.decorators import make_method, make_metric
from xaiboard.benchmark.components.description import meanings
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.engine.applies import missing_library
from xaiboard.benchmark.engine.inventory import inventory
from xaiboard.benchmark.engine.passes_of import passes_of
from xaiboard.benchmark.listing.catalogue import FILE, read_catalogue
from xaiboard.benchmark.listing.describe import describe_entry, describe_kind, find
from xaiboard.benchmark.toolkit.files import read_json
from xaiboard.benchmark.toolkit.terminal import WIDTH


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("random", "none"),
        ("saliency", "1 forward, 1 backward"),
        ("integrated_gradients", "32 forward, 32 backward"),
        ("blurred", "1 forward, 1 backward"),
        ("occlusion", "170 forward"),  # 13 x 13 windows and the image itself
        ("gradcam", "1 forward, 1 backward"),
    ],
)
def test_methods_cost_their_passes(name: str, wanted: str) -> None:
    assert passes_of(xb.methods[name]) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("accuracy", "none"),  # the prediction is everybody's
        ("gini", "1 explained"),
        ("max_sensitivity", "11 explained"),  # ten draws and the map itself
        ("topk_intersection", "1 forward, 2 explained"),  # is the prediction still the same
        ("deletion", "349 forward, 1 explained"),  # 29 + 10 * 27 points, 50 patches and what they share
        ("certified_accuracy", "1 forward, 10 backward"),  # the Jacobian of ten logits
    ],
)
def test_metrics_cost_passes_and_explanations(name: str, wanted: str) -> None:
    assert passes_of(xb.metrics[name]) == wanted


def test_perturbations_cost_passes_and_explanations() -> None:
    assert passes_of(xb.perturbations["sign_noise"]) == "none"
    assert passes_of(xb.perturbations["topk_attack"]).endswith("51 explained")


def test_every_built_in_component_can_be_counted() -> None:
    known = [*xb.methods.values(), *xb.perturbations.values()]
    known += [entry for entry in xb.metrics.values() if not missing_library(entry)]
    assert [entry.name for entry in known if not passes_of(entry)] == []


def test_what_cannot_be_counted_is_empty_and_random_numbers_stay() -> None:
    def broken(x: Tensor) -> Tensor:
        raise ValueError("no luck")

    def explains_twice(explain: nn.Module, x: Tensor) -> Tensor:
        return (explain(x) - explain(1 - x)).flatten(1).sum(1)

    before = torch.random.get_rng_state()
    assert passes_of(make_method(broken)) == ""
    assert passes_of(make_metric(explains_twice)) == "2 explained"
    assert torch.equal(torch.random.get_rng_state(), before)


def test_every_named_column_of_a_built_in_metric_says_what_it_means() -> None:
    for name, entry in xb.metrics.items():
        assert set(meanings(entry)) == set(entry.columns), f"the docstring of {name} says nothing of a column"
        assert all(2 < len(meaning) < 300 for meaning in meanings(entry).values()), name


def test_meanings_are_read_from_the_docstring() -> None:
    def one(x: Tensor) -> dict[str, Tensor]:
        """Plain.

        Args:
            x: not ``first``.

        Returns:
            The score; ``first`` (what comes first; in parentheses), ``second`` and ``third``, what two
            have in common. Another sentence. ``fourth``: the last, and ``curve``, no column.

        Raises:
            XaiboardError: ``fifth`` is negative.
        """
        return {"first": x}

    columns = {name: xb.Column() for name in ("first", "second", "third", "fourth", "fifth")}
    assert meanings(make_metric(one, columns=columns)) == {
        "first": "what comes first; in parentheses",
        "second": "what two have in common",
        "third": "what two have in common",
        "fourth": "the last, and ``curve``, no column",
    }
    assert meanings(make_metric(lambda x: x, name="silent", columns=columns)) == {}


def test_the_catalogue_is_what_is_registered() -> None:
    """Run ``xaiboard list --write`` after a change of a component."""
    missing = {entry.name for entry in xb.metrics.values() if missing_library(entry)}
    found, known = inventory(), read_json(FILE)
    assert list(found) == list(known)
    for kind, entries in found.items():
        names = [entry["name"] for entry in entries]
        assert names == [entry["name"] for entry in known[kind]]
        for entry, kept in zip(entries, known[kind], strict=True):
            ignored = {"passes"} if entry["name"] in missing else set()
            assert {key: value for key, value in entry.items() if key not in ignored} == {
                key: value for key, value in kept.items() if key not in ignored
            }


def test_lists_have_a_line_for_each_column() -> None:
    catalogue = read_catalogue()
    metrics, methods = (describe_kind(catalogue, kind) for kind in ("metrics", "methods"))
    assert re.search(r"^  deletion +↓  \[faithfulness\] Area under", metrics, re.MULTILINE)
    assert re.search(r"^    .retention +↓↔ share of the points", metrics, re.MULTILINE)
    assert re.search(r"^  integrated_gradients .*\n.*\(32 forward, 32 backward\)", methods, re.MULTILINE)
    assert "  sobel †" in methods
    assert "retention" not in describe_kind(catalogue, "metrics", columns=False)


def test_one_component_is_described_whole() -> None:
    """By its name alone: definition, settings with ranges, direction, bounds, cost, source, and how it is run."""
    catalogue = read_catalogue()
    found = find(catalogue, None, "deletion")
    assert list(found) == ["metrics"]
    text = describe_entry(found["metrics"][0], "metrics")
    for said in (
        "metric deletion: Area under", "Petsiuk", "setting baseline=zero (zero, mean, blur, imputed)",
        "setting steps=28 (at least 2)", "column deletion.win_rate (higher is better, compares models, 0 to 1)",
        "passes: 349 forward", 'example: xaiboard run --metrics "deletion[baseline=zero]"',
    ):  # fmt: skip
        assert said in text
    assert len(find(catalogue, "metrics", "lens_*")["metrics"]) > 3
    with pytest.raises(xb.XaiboardError, match="no metric named 'deletio'; did you mean 'deletion'"):
        find(catalogue, "metrics", "deletio")


KNOWN = {"methods": xb.methods, "metrics": xb.metrics, "perturbations": xb.perturbations}


def test_lists_are_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (70, 150):
        monkeypatch.setenv("COLUMNS", str(width))
        for kind in read_catalogue():
            assert max(map(len, describe_kind(read_catalogue(), kind).splitlines())) <= width
        assert max(map(len, describe_kind(read_catalogue(), "metrics").splitlines())) > width - 10


def test_every_description_fits_a_terminal_and_ends_with_a_command_that_is_understood() -> None:
    for kind, entries in read_catalogue().items():
        for entry in entries:
            *lines, last = describe_entry(entry, kind).splitlines()
            assert max(map(len, lines)) <= WIDTH, entry["name"]
            program, command, *words = shlex.split(last.removeprefix("example: "))
            assert (program, command) == ("xaiboard", "run")
            choices = dict(zip(words[::2], words[1::2], strict=True))
            if kind in KNOWN:
                (choice,) = select(KNOWN[kind], choices[f"--{kind}"])
                assert choice.component.name == entry["name"]
            else:
                assert entry["name"] in next(iter(choices.values()))
