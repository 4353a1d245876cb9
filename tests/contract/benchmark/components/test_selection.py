"""Selection patterns, and the sentences for those that select nothing."""

from __future__ import annotations

import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark.components import suites
from xaiboard.benchmark.components.decorators import make_method
from xaiboard.benchmark.components.kinds import Component
from xaiboard.benchmark.components.patterns import parse, select, select_by, split
from xaiboard.benchmark.components.registry import Registry
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.toolkit.patterns import is_wild


@pytest.fixture
def known() -> Registry:
    registry: Registry = Registry("method")
    for name in ("saliency", "integrated_gradients", "input_x_gradient", "cnn.standard"):

        def made(x, *, steps: int = 8, baseline: str = "zero"):  # noqa: ANN001, ANN202
            return x

        registry.add(make_method(made, name=name))
    return registry


def labels(registry: Registry, patterns: str | list[str]) -> list[str]:
    return [choice.label for choice in select(registry, patterns)]


def test_commas_inside_brackets_separate_settings() -> None:
    assert split("a,b[x=1,y=2], c ,,d[z=3]") == ["a", "b[x=1,y=2]", "c", "d[z=3]"]
    assert split(["a,b", "c[x=1,y=2]"]) == ["a", "b", "c[x=1,y=2]"]
    assert split("\na,\nb\n") == ["a", "b"]


def test_order_of_the_patterns_each_once(known: Registry) -> None:
    assert labels(known, "saliency,cnn.standard,saliency") == ["saliency", "cnn.standard"]
    assert labels(known, ["cnn.standard", "saliency"]) == ["cnn.standard", "saliency"]


def test_wildcards_match_in_the_order_of_registration(known: Registry) -> None:
    assert labels(known, "in*") == ["integrated_gradients", "input_x_gradient"]
    assert labels(known, "*[steps=4]")[0] == "saliency[steps=4]"
    assert labels(known, "saliency,*") == [
        "saliency",
        "integrated_gradients",
        "input_x_gradient",
        "cnn.standard",
    ]
    assert labels(known, "cnn.?tandard") == ["cnn.standard"]


def test_settings_make_another_choice(known: Registry) -> None:
    found = select(known, "saliency,saliency[steps=4,baseline=mean],saliency[steps=8]")
    assert [choice.label for choice in found] == ["saliency", "saliency[steps=4,baseline=mean]"]
    assert found[1].settings == {"steps": 4, "baseline": "mean"}


def test_an_unknown_name_names_the_nearest(known: Registry) -> None:
    with pytest.raises(XaiboardError, match="no method named 'salency'; did you mean 'saliency'"):
        select(known, "salency")
    with pytest.raises(XaiboardError, match=r"no method named 'zz\*'; known: cnn.standard, "):
        select(known, "zz*")


def test_nothing_selected_names_what_there_is(known: Registry) -> None:
    with pytest.raises(XaiboardError, match="no method selected; name one of: cnn"):
        select(known, " , ")


@pytest.mark.parametrize("item", ["a[", "a]", "a[x=1]b", "a[x]", "a[=1]", "[x=1]", "a[x=1][y=2]", "a[ =1]"])
def test_an_item_out_of_shape_is_refused(item: str) -> None:
    with pytest.raises(XaiboardError, match="cannot read"):
        parse(item)


def test_names_and_settings_are_read() -> None:
    assert parse("a") == ("a", {})
    assert parse("a[]") == ("a", {})
    assert parse(" a [ x = 1 , y=b ]") == ("a", {"x": "1", "y": "b"})


def test_a_filter_holds_for_wildcards_only(known: Registry) -> None:
    def dotted(entry: Component) -> bool:
        return "." in entry.name

    found = select_by(known, "*,saliency", dotted)
    assert [choice.label for choice in found] == ["cnn.standard", "saliency"]
    assert is_wild("a*[x=1]")
    assert not is_wild("a[x=*]")


def test_the_suite_selects_what_is_registered() -> None:
    suite = suites.read("quick")
    for kind, registry in (("methods", xb.methods), ("metrics", xb.metrics), ("models", xb.models)):
        assert select(registry, str(suite[kind]))
